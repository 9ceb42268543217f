import type { CallEvents } from '@teleconsult/client-sdk';
import { AppError, DeviceId } from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { clientOf, recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { opened, ringing } from './helpers/opened-call.ts';
import { doctor, patient } from './helpers/samples.ts';
import { ScriptedCall } from './helpers/scripted-call.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';
import { ScriptedThread } from './helpers/scripted-thread.ts';

const names = (server: ScriptedServer): string[] =>
  server.received
    .map(({ name }) => name)
    .filter((name) => name.startsWith('call.') || name.startsWith('seat.'));

const sources = (tracks: CallEvents['remoteTracks']): string[] => tracks.map(({ source }) => source);

describe('a call', () => {
  it('[SDK40] a ring is told to the app, and answering it sends the microphone and receives the other side', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using client = here.client;
    const { scripted, media, consultation } = here;
    const rings = recorded(client.on, 'call');
    const call = await ringing(here);
    expect(rings).toMatchObject([{ state: 'ringing', startedBy: doctor }]);
    expect(call.role).toBe('incoming');
    expect(media.asked).toEqual([]);
    const offer = scripted.offer('microphone');
    await call.accept();
    expect(call.role).toBe('answered');
    expect(call.microphoneOn).toBe(true);
    expect(call.cameraOn).toBe(false);
    await eventually(
      () => sources(call.remoteTracks),
      (seen) => seen.length === 1,
    );
    expect(call.remoteTracks).toMatchObject([{ personId: doctor, source: 'microphone', paused: false }]);
    await eventually(
      () => server.payloads('seat.resumeConsumer').length,
      (count) => count === 1,
    );
    expect(server.payloads('seat.resumeConsumer')).toEqual([
      { ...scripted.seat, consumerId: offer.consumerId },
    ]);
    expect(server.payloads('seat.produce')).toMatchObject([
      { source: 'microphone', kind: 'audio', paused: false },
    ]);
    expect(media.asked).toEqual([{ audio: true, video: false }]);
    expect(call.localTracks.microphone).toBe(media.tracks[0]);
    expect(consultation.call).toBe(call);
  });

  it('[SDK40] the caller joins at once, so that media is ready when the other side answers', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const call = await here.consultation.startCall('video');
    expect(call.role).toBe('caller');
    expect(call.view.state).toBe('ringing');
    await eventually(
      () => server.payloads('seat.produce').length,
      (count) => count === 2,
    );
    expect(here.media.asked).toEqual([{ audio: true, video: true }]);
    expect(call.cameraOn).toBe(true);
    here.scripted.tell({ state: 'live' });
    await eventually(
      () => call.view.state,
      (state) => state === 'live',
    );
    const offer = here.scripted.offer('camera');
    server.tell('seat.consumerAdded', { ...here.scripted.seat, consumer: offer });
    await eventually(
      () => sources(call.remoteTracks),
      (seen) => seen.length === 1,
    );
    expect(await here.consultation.startCall('voice')).toBe(call);
    expect(server.payloads('call.start').length).toBe(1);
  });

  it('[SDK41] video is sent in three sizes, speech with DTX and FEC', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    await here.consultation.startCall('video');
    await eventually(
      () => server.payloads('seat.produce').length,
      (count) => count === 2,
    );
    const { sent } = here.media.current.send;
    const audio = sent.find(({ track }) => track.kind === 'audio');
    const video = sent.find(({ track }) => track.kind === 'video');
    expect(audio?.codecOptions).toMatchObject({ opusDtx: true, opusFec: true });
    expect(video?.encodings).toMatchObject([
      { scaleResolutionDownBy: 4, maxBitrate: 150_000 },
      { scaleResolutionDownBy: 2, maxBitrate: 500_000 },
      { scaleResolutionDownBy: 1, maxBitrate: 1_500_000 },
    ]);
  });

  it('[SDK42] from the second call on, media flows after three round trips', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const first = await ringing(here);
    await first.accept();
    await first.hangUp();
    here.scripted.view = new ScriptedCall(server, here.thread).view;
    const next = new ScriptedCall(server, here.thread);
    here.scripted.view = next.view;
    next.offer('microphone');
    server.received.length = 0;
    // Nothing of the third round is answered: it must all have been sent without waiting.
    for (const name of ['seat.connectTransport', 'seat.produce', 'seat.resumeConsumer'] as const) {
      server.on(name, () => 'silence');
    }
    next.ring();
    await eventually(
      () => here.consultation.call?.id,
      (id) => id === next.view.callId,
    );
    await here.consultation.call?.accept();
    await eventually(
      () => names(server).length,
      (count) => count >= 6,
    );
    expect(names(server).slice(0, 2)).toEqual(['call.accept', 'seat.join']);
    expect(server.payloads('seat.join')[0]?.rtpCapabilities).toBeDefined();
    expect(names(server).slice(2).toSorted()).toEqual([
      'seat.connectTransport',
      'seat.connectTransport',
      'seat.produce',
      'seat.resumeConsumer',
    ]);
  });

  it('[SDK43] muting takes effect at once and is told; unmuting goes on with the same track', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const call = await ringing(here);
    await call.accept();
    await eventually(
      () => server.payloads('seat.produce').length,
      (count) => count === 1,
    );
    const [track] = here.media.tracks;
    const locals = recorded(call.on, 'localTracks');
    const muting = call.setMicrophone(false);
    expect(track?.enabled).toBe(false);
    expect(call.microphoneOn).toBe(false);
    await muting;
    expect(server.payloads('seat.setSource')).toMatchObject([{ source: 'microphone', on: false }]);
    expect(call.view.seats.find(({ personId }) => personId === patient)?.microphoneOn).toBe(false);
    await call.setMicrophone(true);
    expect(track?.enabled).toBe(true);
    expect(server.payloads('seat.setSource')).toMatchObject([{ on: false }, { on: true }]);
    expect(here.media.tracks.length).toBe(1);
    expect(locals).toEqual([
      { microphone: null, camera: null, screen: null },
      { microphone: track, camera: null, screen: null },
    ]);
  });

  it('[SDK43] switching the camera off stops it; on again takes a new track without a new transport', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server, { media: 'video' });
    await using _ = here.client;
    const call = await ringing(here);
    await call.accept();
    await eventually(
      () => server.payloads('seat.produce').length,
      (count) => count === 2,
    );
    expect(here.media.running).toEqual(['audio', 'video']);
    const off = call.setCamera(false);
    expect(here.media.running).toEqual(['audio']);
    await off;
    expect(server.payloads('seat.setSource')).toMatchObject([{ source: 'camera', on: false }]);
    await call.setCamera(true);
    expect(here.media.running).toEqual(['audio', 'video']);
    expect(call.localTracks.camera).toBe(here.media.tracks[2]);
    expect(server.payloads('seat.produce').length).toBe(2);
    expect(server.payloads('seat.setSource')).toMatchObject([{ on: false }, { source: 'camera', on: true }]);
  });

  it('[SDK43] wishes that follow each other quickly end with the last one', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server, { media: 'video' });
    await using _ = here.client;
    const call = await ringing(here);
    await call.accept({ camera: false });
    expect(call.cameraOn).toBe(false);
    await eventually(
      () => call.view.seats.find(({ personId }) => personId === patient)?.cameraOn,
      (on) => on === false,
    );
    await Promise.all([
      call.setCamera(true),
      call.setCamera(false),
      call.setCamera(true),
      call.setCamera(false),
    ]);
    expect(here.media.running).toEqual(['audio']);
    expect(call.localTracks.camera).toBeNull();
    expect(server.payloads('seat.setSource').at(-1)).toMatchObject({ source: 'camera', on: false });
  });

  it('[SDK44] nothing is sent while the others are shown that it is off', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const call = await ringing(here);
    await call.accept();
    await call.setMedia('video');
    expect(call.view.media).toBe('video');
    expect(call.cameraOn).toBe(false);
    expect(here.media.running).toEqual(['audio']);
    await call.setCamera(true);
    const told = names(server).indexOf('seat.setSource');
    expect(told).toBeGreaterThan(0);
    expect(names(server).lastIndexOf('seat.produce')).toBeGreaterThan(told);
    await call.setMedia('voice');
    await eventually(
      () => here.media.running,
      (running) => running.length === 1,
    );
    expect(call.cameraOn).toBe(false);
    expect(await codeOf(call.setCamera(true))).toBe('WRONG_STATE');
  });

  it('[SDK45] a refused microphone is a problem; the call goes on receiving, and shows the microphone as off', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    here.media.refuse = () => 'NotAllowedError';
    here.scripted.offer('microphone');
    const call = await ringing(here);
    const problems = recorded(call.on, 'problem');
    await call.accept();
    await eventually(
      () => problems.length,
      (count) => count === 1,
    );
    expect(problems[0]?.code).toBe('PERMISSION_DENIED');
    expect(call.microphoneOn).toBe(false);
    await eventually(
      () => sources(call.remoteTracks),
      (seen) => seen.length === 1,
    );
    await eventually(
      () => server.payloads('seat.setSource').length,
      (count) => count === 1,
    );
    expect(server.payloads('seat.setSource')).toMatchObject([{ source: 'microphone', on: false }]);
    expect(await codeOf(call.setMicrophone(true))).toBe('PERMISSION_DENIED');
    here.media.refuse = () => null;
    await call.setMicrophone(true);
    expect(call.microphoneOn).toBe(true);
    await eventually(
      () => server.payloads('seat.produce').length,
      (count) => count === 1,
    );
  });

  it('[SDK45] without a camera the microphone is still had, and the question is not put twice', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server, { media: 'video' });
    await using _ = here.client;
    here.media.refuse = ({ video }) => (video === true ? 'NotFoundError' : null);
    const call = await ringing(here);
    const problems = recorded(call.on, 'problem');
    await call.accept();
    await eventually(
      () => problems.length,
      (count) => count === 1,
    );
    expect(problems[0]?.code).toBe('DEVICE_UNAVAILABLE');
    await eventually(
      () => server.payloads('seat.produce').length,
      (count) => count === 1,
    );
    expect(server.payloads('seat.produce')).toMatchObject([{ source: 'microphone' }]);
    expect(here.media.asked.length).toBe(3);
    expect([call.microphoneOn, call.cameraOn]).toEqual([true, false]);
  });

  it('[SDK45] a device that goes away and has no other is a problem and shown as off; the next wish asks again', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const call = await ringing(here);
    await call.accept();
    await eventually(
      () => server.payloads('seat.produce').length,
      (count) => count === 1,
    );
    const problems = recorded(call.on, 'problem');
    here.media.refuse = () => 'NotFoundError';
    here.media.tracks[0]?.remoteStop();
    await eventually(
      () => problems.map(({ code }) => code),
      (codes) => codes[0] === 'DEVICE_UNAVAILABLE',
    );
    expect(call.microphoneOn).toBe(false);
    await eventually(
      () => server.payloads('seat.setSource').length,
      (count) => count === 1,
    );
    here.media.refuse = () => null;
    await call.setMicrophone(true);
    expect(call.localTracks.microphone).toBe(here.media.tracks[1]);
    expect(server.payloads('seat.produce').length).toBe(1);
  });

  it('[SDK46] tracks of the other side come, go, are muted and unmuted', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const call = await ringing(here);
    await call.accept();
    await eventually(
      () => server.payloads('seat.setCapabilities').length,
      (count) => count === 1,
    );
    const { seat } = here.scripted;
    const consumer = here.scripted.offer('microphone');
    server.tell('seat.consumerAdded', { ...seat, consumer });
    server.tell('seat.consumerAdded', { ...seat, consumer });
    server.tell('seat.consumerPaused', { ...seat, consumerId: consumer.consumerId, paused: true });
    await eventually(
      () => call.remoteTracks.map(({ paused }) => paused),
      (seen) => seen[0] === true,
    );
    server.tell('seat.consumerRemoved', { ...seat, consumerId: consumer.consumerId });
    await eventually(
      () => call.remoteTracks.length,
      (count) => count === 0,
    );
    expect(server.payloads('seat.resumeConsumer').length).toBe(1);
  });

  it('[SDK47] when the call ends, devices are freed, the call says why, and the consultation has none', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server, { media: 'video' });
    await using _ = here.client;
    const call = await ringing(here);
    await call.accept();
    await eventually(
      () => here.media.running.length,
      (count) => count === 2,
    );
    const order: string[] = [];
    call.on('changed', ({ state, endReason }) => order.push(`${state} ${endReason ?? ''}`));
    here.consultation.on('call', (now) => order.push(now === null ? 'none' : 'call'));
    here.scripted.end('completed');
    await eventually(
      () => here.consultation.call,
      (now) => now === null,
    );
    expect(order).toEqual(['ended completed', 'none']);
    expect(here.media.running).toEqual([]);
    expect(here.media.transports.every(({ isClosed }) => isClosed)).toBe(true);
    expect(call.remoteTracks).toEqual([]);
    expect(await codeOf(call.setMicrophone(true))).toBe('WRONG_STATE');
    expect(await codeOf(call.accept())).toBe('WRONG_STATE');
    await call.hangUp();
    // Late news does not bring it back.
    here.scripted.tell({ state: 'live' });
    await here.client.listConsultations();
    expect(here.consultation.call).toBeNull();
  });

  it('[SDK47] older news of a call changes nothing', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using client = here.client;
    const call = await ringing(here);
    const told = recorded(client.on, 'call');
    here.scripted.tell({ state: 'connecting' });
    await eventually(
      () => call.view.state,
      (state) => state === 'connecting',
    );
    server.tell('call.changed', { ...here.scripted.view, state: 'ringing', revision: 1 });
    server.tell('call.changed', { ...here.scripted.view, state: 'ringing' });
    await client.listConsultations();
    expect(call.view.state).toBe('connecting');
    expect(told.length).toBe(1);
  });

  it('[SDK47] the client tells of each state of a call once, also of one learnt by a snapshot', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using client = here.client;
    const told = recorded(client.on, 'call');
    here.scripted.showInSnapshots();
    server.cutAll();
    await eventually(
      () => told.length,
      (count) => count === 1,
    );
    here.scripted.ring();
    await here.consultation.call?.decline();
    here.scripted.ring();
    await client.listConsultations();
    expect(told.map(({ state }) => state)).toEqual(['ringing', 'ended']);
  });

  it('[SDK48] hanging up stops media at once, and is told as soon as there is a connection', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using client = here.client;
    const call = await ringing(here);
    await call.accept();
    await eventually(
      () => here.media.running.length,
      (count) => count === 1,
    );
    here.scripted.showInSnapshots();
    await server.goAway();
    await eventually(
      () => client.connection,
      (state) => state === 'connecting',
    );
    const leaving = call.hangUp();
    expect(here.media.running).toEqual([]);
    await server.comeBack();
    await leaving;
    expect(here.scripted.view).toMatchObject({ state: 'ended', endReason: 'completed' });
    expect(here.consultation.call).toBeNull();
    expect(here.media.asked.length).toBe(1);
  });

  it('[SDK48] hanging up a call that is over already is no error', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const call = await ringing(here);
    await call.accept();
    here.scripted.change({ state: 'ended', endReason: 'lost' });
    await call.hangUp();
  });

  it('[SDK48] an incoming call is declined, also by hanging up', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const call = await ringing(here);
    await call.hangUp();
    expect(call.view.endReason).toBe('declined');
    expect(names(server)).toEqual(['call.decline']);
  });

  it('[SDK49] a call answered on another device is elsewhere; accepting takes the seat over', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const call = await ringing(here);
    const other = DeviceId.parse('other-device');
    here.scripted.changeSeat(patient, { state: 'present', deviceId: other });
    here.scripted.tell({ state: 'live' });
    await eventually(
      () => call.role,
      (role) => role === 'elsewhere',
    );
    server.once('call.hangUp', () => {
      throw new AppError('WRONG_STATE');
    });
    expect(await codeOf(call.hangUp())).toBe('WRONG_STATE');
    await call.accept();
    expect(call.role).toBe('answered');
    expect(names(server)).not.toContain('call.accept');
    await eventually(
      () => server.payloads('seat.produce').length,
      (count) => count === 1,
    );
    server.tell('seat.moved', here.scripted.seat);
    await eventually(
      () => call.role,
      (role) => role === 'elsewhere',
    );
    expect(here.media.running).toEqual([]);
    expect(here.consultation.call).toBe(call);
  });

  it('[SDK49] a call that this person started on another device is elsewhere, not incoming', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server, { startedBy: patient });
    await using _ = here.client;
    expect((await ringing(here)).role).toBe('elsewhere');
  });

  it('[SDK50] a call that cannot be accepted frees the devices and may be tried again', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const call = await ringing(here);
    server.once('call.accept', () => {
      throw new AppError('INTERNAL');
    });
    const [first, second] = await Promise.allSettled([call.accept(), call.accept()]);
    expect([first.status, second.status]).toEqual(['rejected', 'rejected']);
    await eventually(
      () => here.media.running,
      (running) => running.length === 0,
    );
    expect(call.role).toBe('incoming');
    await call.accept();
    expect(server.payloads('call.accept').length).toBe(2);
    expect(call.role).toBe('answered');
  });

  it('[SDK50] giving up a call before the server has answered hangs it up when it begins nevertheless', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const abort = new AbortController();
    server.once('call.start', async () => {
      abort.abort();
      await givenUp;
      here.scripted.changeSeat(doctor, { state: 'invited', deviceId: null });
      here.scripted.changeSeat(patient, {
        state: 'connecting',
        deviceId: DeviceId.parse('device-under-test'),
      });
      return { call: here.scripted.change({ startedBy: patient }) };
    });
    const givenUp = codeOf(here.consultation.startCall('voice', { signal: abort.signal }));
    expect(await givenUp).toBe('ABORTED');
    await eventually(
      () => server.payloads('call.hangUp').length,
      (count) => count === 1,
    );
    await eventually(
      () => here.media.running,
      (running) => running.length === 0,
    );
    await eventually(
      () => here.consultation.call,
      (call) => call === null,
    );
  });

  it.each(['BUSY', 'WRONG_STATE'] as const)('[SDK50] a call refused with %s begins nothing', async (code) => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    server.once('call.start', () => {
      throw new AppError(code);
    });
    expect(await codeOf(here.consultation.startCall('voice'))).toBe(code);
    await eventually(
      () => here.media.running,
      (running) => running.length === 0,
    );
    expect(here.consultation.call).toBeNull();
  });

  it('[SDK51] without WebRTC calls are shown but cannot be held, and the others are not rung', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    const scripted = new ScriptedCall(server, thread);
    await using client = clientOf(server);
    await client.connect();
    const consultation = await client.open(thread.id);
    expect(await codeOf(consultation.startCall('voice'))).toBe('UNSUPPORTED_BROWSER');
    scripted.ring();
    const call = await eventually(
      () => consultation.call,
      (now) => now !== null,
    );
    expect(call?.role).toBe('incoming');
    expect(await codeOf(call?.accept() ?? Promise.resolve())).toBe('UNSUPPORTED_BROWSER');
    await call?.decline();
    expect(names(server)).toEqual(['call.decline']);
  });

  it('[SDK52] statistics come from both directions, and there are none outside of the call', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const call = await ringing(here);
    expect(await call.stats()).toEqual({ send: null, receive: null });
    await call.accept();
    expect((await call.stats()).send).toBeInstanceOf(Map);
  });
});
