import { AppError, CallId, DeviceId, RtpCapabilities } from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { recorded } from './helpers/clients.ts';
import { eventually } from './helpers/eventually.ts';
import { opened, ringing } from './helpers/opened-call.ts';
import { patient } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';

/** A call on this device whose media flows in both directions. */
async function inCall(server: ScriptedServer, changes: Parameters<typeof opened>[1] = {}) {
  const here = await opened(server, changes);
  const { scripted, media } = here;
  scripted.offer('microphone');
  scripted.showInSnapshots();
  const call = await ringing(here);
  await call.accept();
  const produced = changes.media === 'video' ? 2 : 1;
  await eventually(
    () => server.payloads('seat.produce').length + call.remoteTracks.length,
    (count) => count === produced + 1,
  );
  media.current.send.handler.setConnectionState('connected');
  media.current.receive.handler.setConnectionState('connected');
  await eventually(
    () => call.path,
    (path) => path === 'connected',
  );
  await eventually(
    () => server.payloads('seat.resumeConsumer').length,
    (count) => count === 1,
  );
  // Answers come in order: after this one nothing is under way any more.
  await here.client.listConsultations();
  return { ...here, call };
}

async function reconnected(
  { client }: Awaited<ReturnType<typeof inCall>>,
  server: ScriptedServer,
): Promise<void> {
  const watches = server.payloads('consultation.watch').length;
  server.cutAll();
  await eventually(
    () => server.payloads('consultation.watch').length,
    (count) => count > watches,
  );
  await eventually(
    () => client.connection,
    (state) => state === 'connected',
  );
}

describe('media that breaks', () => {
  it('[SDK60] a lost connection leaves media alone; tracks that came or went meanwhile are made up for', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    const { scripted, media, call } = here;
    scripted.offers = [];
    const late = scripted.offer('camera');
    await reconnected(here, server);
    await eventually(
      () => call.remoteTracks.map(({ source }) => source),
      ([source]) => source === 'camera',
    );
    await eventually(
      () => server.payloads('seat.resumeConsumer').at(-1)?.consumerId,
      (id) => id === late.consumerId,
    );
    expect(server.payloads('seat.join').length).toBe(1);
    expect(media.transports.length).toBe(2);
    expect(call.path).toBe('connected');
  });

  it('[SDK60] a mute that could not be told while there was no connection is told when there is one', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using client = here.client;
    await server.goAway();
    await eventually(
      () => client.connection,
      (state) => state === 'connecting',
    );
    await here.call.setMicrophone(false);
    expect(here.media.tracks[0]?.enabled).toBe(false);
    await server.comeBack();
    await eventually(
      () => server.payloads('seat.setSource').length,
      (count) => count === 1,
    );
    expect(server.payloads('seat.setSource')).toMatchObject([{ source: 'microphone', on: false }]);
    expect(here.call.microphoneOn).toBe(false);
  });

  it('[SDK61] a server that has forgotten the seat gets it anew, with the same microphone', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    const { scripted, media, call } = here;
    scripted.holdsSeat = false;
    await reconnected(here, server);
    await eventually(
      () => server.payloads('seat.produce').length,
      (count) => count === 2,
    );
    await eventually(
      () => call.remoteTracks.length,
      (count) => count === 1,
    );
    expect(media.asked.length).toBe(1);
    expect(media.running).toEqual(['audio']);
    expect(media.transports.map(({ isClosed }) => isClosed)).toEqual([true, true, false, false]);
    expect(call.path).toBe('interrupted');
    media.current.send.handler.setConnectionState('connected');
    media.current.receive.handler.setConnectionState('connected');
    expect(call.path).toBe('connected');
  });

  it('[SDK61] being told of the loss twice builds the media anew once', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    const { scripted, call } = here;
    server.tell('seat.mediaLost', scripted.seat);
    server.tell('seat.mediaLost', scripted.seat);
    await eventually(
      () => server.payloads('seat.produce').length + call.remoteTracks.length,
      (count) => count === 3,
    );
    await here.client.listConsultations();
    expect(server.payloads('seat.join').length).toBe(2);
  });

  it('[SDK62] what was muted stays muted when media is built anew, until it is unmuted', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server, { media: 'video' });
    await using _ = here.client;
    const { scripted, media, call } = here;
    await call.setMicrophone(false);
    await call.setCamera(false);
    server.tell('seat.mediaLost', scripted.seat);
    await eventually(
      () => server.payloads('seat.join').length,
      (count) => count === 2,
    );
    await eventually(
      () => call.remoteTracks.length,
      (count) => count === 1,
    );
    expect(server.payloads('seat.produce').length).toBe(2);
    expect(media.tracks[0]?.enabled).toBe(false);
    expect(media.running).toEqual(['audio']);
    expect([call.microphoneOn, call.cameraOn]).toEqual([false, false]);
    await call.setMicrophone(true);
    expect(server.payloads('seat.produce').length).toBe(3);
    expect(media.current.send.sent.map(({ track }) => track)).toEqual([media.tracks[0]]);
  });

  it('[SDK62] tracks told while the seat is being joined are not lost', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    const { scripted, call } = here;
    scripted.offers = [];
    server.on('seat.join', () => {
      throw new AppError('MEDIA_UNAVAILABLE');
    });
    const problems = recorded(call.on, 'problem');
    server.tell('seat.mediaLost', scripted.seat);
    await eventually(
      () => problems.length,
      (count) => count > 0,
    );
    expect(problems[0]?.code).toBe('MEDIA_UNAVAILABLE');
    const consumer = scripted.offer('microphone');
    scripted.offers = [];
    server.tell('seat.consumerAdded', { ...scripted.seat, consumer });
    scripted.answerSeats();
    await eventually(
      () => call.remoteTracks.length,
      (count) => count === 1,
    );
  });

  it('[SDK63] an interrupted path is restarted, and the app is told of both', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    const { media, call } = here;
    const paths = recorded(call.on, 'path');
    media.current.send.handler.setConnectionState('disconnected');
    expect(call.path).toBe('interrupted');
    await eventually(
      () => media.current.send.iceRestarts,
      (count) => count === 1,
    );
    expect(media.current.receive.iceRestarts).toBe(0);
    expect(server.payloads('seat.restartIce')).toMatchObject([{ direction: 'send' }]);
    media.current.send.handler.setConnectionState('connecting');
    expect(call.path).toBe('interrupted');
    media.current.send.handler.setConnectionState('connected');
    expect(paths).toEqual([{ state: 'interrupted' }, { state: 'connected' }]);
    expect(server.payloads('seat.join').length).toBe(1);
  });

  it('[SDK63] a path that comes back by itself is left alone', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    const { media, call } = here;
    media.current.receive.handler.setConnectionState('disconnected');
    media.current.receive.handler.setConnectionState('connected');
    await eventually(
      () => call.path,
      (path) => path === 'connected',
    );
    await here.client.listConsultations();
    expect(media.current.receive.iceRestarts).toBe(0);
  });

  it('[SDK64] a seat that the server refuses to restart is joined anew', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    here.scripted.holdsSeat = false;
    here.media.current.send.handler.setConnectionState('failed');
    await eventually(
      () => server.payloads('seat.join').length,
      (count) => count === 2,
    );
  });

  it('[SDK65] a call that ended unseen is over with the reason of the thread', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    const { thread, scripted, media, call } = here;
    const { consultationId, callId } = scripted.seat;
    await server.goAway();
    thread.addSilently(3);
    const ended = { kind: 'call.ended', callId, reason: 'completed', durationMs: 1 } as const;
    const told = recorded(here.client.on, 'call');
    thread.append({ ...ended, consultationId, sequence: 4, at: 1, by: null });
    scripted.change({ state: 'ended', endReason: 'completed' });
    await server.comeBack();
    await eventually(
      () => here.consultation.call,
      (now) => now === null,
    );
    expect(call.view).toMatchObject({ state: 'ended', endReason: 'completed' });
    expect(told).toEqual([call.view]);
    expect(media.running).toEqual([]);
  });

  it('[SDK65] a call that began while the consultation was being watched again is not taken for ended', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using client = here.client;
    server.once('consultation.watch', (asked) => {
      const answer = { ...here.thread.snapshot(asked), call: null };
      here.scripted.ring();
      return answer;
    });
    server.cutAll();
    await eventually(
      () => here.consultation.call?.view.state,
      (state) => state === 'ringing',
    );
    await client.listConsultations();
    expect(here.consultation.call?.role).toBe('incoming');
  });

  it('[SDK67] a seat that was taken over while this device was away is not taken back', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    const { scripted, media, call } = here;
    await server.goAway();
    scripted.changeSeat(patient, { deviceId: DeviceId.parse('other-device') });
    await server.comeBack();
    await eventually(
      () => call.role,
      (role) => role === 'elsewhere',
    );
    expect(media.running).toEqual([]);
    expect(server.payloads('seat.join').length).toBe(1);
    expect(here.consultation.call).toBe(call);
  });

  it('[SDK68] a router that changed, as with a new version of the server, is learnt anew', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    const { scripted, call } = here;
    const { codecs = [], headerExtensions = [] } = scripted.routerCapabilities;
    scripted.routerCapabilities = RtpCapabilities.parse({
      codecs: codecs.filter(({ mimeType }) => mimeType === 'audio/opus'),
      headerExtensions,
    });
    server.tell('seat.mediaLost', scripted.seat);
    await eventually(
      () => server.payloads('seat.setCapabilities').length,
      (count) => count === 2,
    );
    await eventually(
      () => call.remoteTracks.length,
      (count) => count === 1,
    );
    const [first, second] = server.payloads('seat.setCapabilities');
    expect(first?.rtpCapabilities.codecs?.length).toBeGreaterThan(1);
    expect(second?.rtpCapabilities.codecs?.length).toBe(1);
  });

  it('[SDK69] a device that the server does not let sit any more is outside, and the app is told', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    const { scripted, media, call } = here;
    const problems = recorded(call.on, 'problem');
    server.once('seat.join', () => {
      throw new AppError('FORBIDDEN');
    });
    server.tell('seat.mediaLost', scripted.seat);
    await eventually(
      () => problems.length,
      (count) => count === 1,
    );
    expect(problems[0]?.code).toBe('FORBIDDEN');
    expect(media.running).toEqual([]);
    expect(call.microphoneOn).toBe(false);
    await call.accept();
    expect(call.microphoneOn).toBe(true);
  });

  it('[SDK47] another call tells that the one before is over', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    const { scripted, media, call } = here;
    const next = {
      ...scripted.view,
      callId: CallId.parse(`cal_${'A'.repeat(22)}`),
      startedAt: 9,
      revision: 99,
    };
    server.tell('call.changed', { ...next, state: 'ringing' });
    await eventually(
      () => here.consultation.call?.id,
      (id) => id === next.callId,
    );
    expect(call.view.endReason).toBe('lost');
    expect(media.running).toEqual([]);
  });
});
