import { AppError } from '@teleconsult/protocol/errors';
import { describe, expect, it } from 'vitest';
import { recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { answered, opened, ringing } from './helpers/opened-call.ts';
import { doctor, patient } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';

/** A promise that a test keeps until it is time. */
const gate = () => Promise.withResolvers<null>();

describe('what happens at the same time', () => {
  it('[SDK43] a camera that is switched off while the browser still asks does not stay open', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server, { media: 'video' });
    await using _ = here.client;
    const { media } = here;
    const { promise: allowed, resolve: allow } = gate();
    media.refuse = () => allowed;
    server.on('seat.join', () => 'silence');
    const call = await ringing(here);
    void call.accept().catch(() => {});
    await eventually(
      () => server.payloads('seat.join').length,
      (count) => count === 1,
    );
    await call.setCamera(false);
    allow(null);
    await eventually(
      () => media.tracks.length,
      (count) => count === 2,
    );
    await here.client.listConsultations();
    expect(media.running).toEqual(['audio']);
    media.refuse = () => null;
    await call.setCamera(true);
    expect(media.running).toEqual(['audio', 'video']);
  });

  it('[SDK43] a camera that is switched off and on while the browser still asks is on', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server, { media: 'video' });
    await using _ = here.client;
    const { media } = here;
    const call = await answered(here, server);
    await call.setCamera(false);
    const { promise: allowed, resolve: allow } = gate();
    media.refuse = () => allowed;
    const changes = [call.setCamera(true), call.setCamera(false), call.setCamera(true)];
    media.refuse = () => null;
    allow(null);
    await Promise.all(changes);
    expect(call.cameraOn).toBe(true);
    expect(media.running).toEqual(['audio', 'video']);
    expect(call.localTracks.camera?.readyState).toBe('live');
  });

  it('[SDK60] a connection that is lost again at once leaves media alone, too', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const { scripted, media } = here;
    scripted.offer('microphone');
    scripted.showInSnapshots();
    await answered(here, server);
    const asked = server.payloads('seat.setCapabilities').length;
    server.once('seat.setCapabilities', () => {
      server.cutAll();
      return 'silence';
    });
    server.cutAll();
    await eventually(
      () => server.payloads('seat.setCapabilities').length,
      (count) => count === asked + 2,
    );
    await here.client.listConsultations();
    expect(server.payloads('seat.join').length).toBe(1);
    expect(media.transports.map(({ isClosed }) => isClosed)).toEqual([false, false]);
  });

  it('[SDK60] a camera that is switched on while there is no connection is sent when there is one, beside the rest', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server, { media: 'video' });
    await using _ = here.client;
    const { scripted, media } = here;
    scripted.showInSnapshots();
    const call = await ringing(here);
    await call.accept({ camera: false });
    await eventually(
      () => server.payloads('seat.produce').length,
      (count) => count === 1,
    );
    await here.client.listConsultations();
    await server.goAway();
    await eventually(
      () => here.client.connection,
      (state) => state === 'connecting',
    );
    await call.setCamera(true);
    expect(media.transports.map(({ isClosed }) => isClosed)).toEqual([false, false]);
    await server.comeBack();
    await eventually(
      () => server.payloads('seat.produce').map(({ source }) => source),
      (sources) => sources.at(-1) === 'camera',
    );
    await here.client.listConsultations();
    expect(server.payloads('seat.join').length).toBe(1);
    expect(call.cameraOn).toBe(true);
    expect(call.view.seats.find(({ personId }) => personId === patient)?.cameraOn).toBe(true);
    expect(media.transports.map(({ isClosed }) => isClosed)).toEqual([false, false]);
  });

  it('[SDK61] what the former seat is offered while this one is joined takes nothing away', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const { scripted } = here;
    scripted.offer('microphone');
    const call = await answered(here, server);
    const [current] = scripted.offers;
    if (current === undefined) throw new Error('nothing is offered');
    const consumer = { ...current, consumerId: 'of-the-former-seat' };
    server.on('seat.resumeConsumer', ({ consumerId }) => {
      if (consumerId !== current.consumerId) throw new AppError('NOT_FOUND');
      return {};
    });
    const { promise: heard, resolve: hear } = gate();
    const resumed = server.payloads('seat.resumeConsumer').length;
    scripted.holdsSeat = false;
    server.once('seat.join', async (payload, from) => {
      server.tell('seat.consumerAdded', { ...scripted.seat, consumer });
      await heard;
      return scripted.answerJoin(payload, from);
    });
    server.tell('seat.mediaLost', scripted.seat);
    await eventually(
      () => server.payloads('seat.join').length,
      (count) => count === 2,
    );
    hear(null);
    await eventually(
      () => server.payloads('seat.resumeConsumer').length,
      (count) => count > resumed,
    );
    await here.client.listConsultations();
    expect(call.remoteTracks.map(({ track }) => track.readyState)).toEqual(['live']);
    expect(server.payloads('seat.resumeConsumer').at(-1)?.consumerId).toBe(current.consumerId);
  });

  it('[SDK48] hanging up while the call is being answered ends it', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const { media, scripted } = here;
    const { promise: told, resolve: tell } = gate();
    server.once('call.accept', async (_call, { handshake }) => {
      await told;
      scripted.changeSeat(patient, { state: 'connecting', deviceId: handshake.deviceId });
      return { call: scripted.change({ state: 'connecting', ringUntil: null, answeredAt: 2 }) };
    });
    const call = await ringing(here);
    const accepting = codeOf(call.accept());
    await eventually(
      () => server.payloads('call.accept').length,
      (count) => count === 1,
    );
    const hangingUp = call.hangUp();
    tell(null);
    await hangingUp;
    expect(await accepting).toMatch(/ABORTED|WRONG_STATE/);
    expect(server.payloads('call.hangUp').length).toBe(1);
    expect(server.payloads('call.decline').length).toBe(0);
    expect(server.payloads('seat.join').length).toBe(0);
    expect(media.running).toEqual([]);
    expect(here.consultation.call).toBeNull();
  });

  it('[SDK50] a call that is given up before it begins asks for no device', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const giveUp = new AbortController();
    const starting = codeOf(here.consultation.startCall('video', { signal: giveUp.signal }));
    giveUp.abort();
    expect(await starting).toBe('ABORTED');
    const late = codeOf(here.consultation.startCall('video'));
    await here.consultation.close();
    expect(await late).toBe('ABORTED');
    expect(here.media.asked).toEqual([]);
    expect(server.payloads('call.start')).toEqual([]);
  });

  it('[SDK50] a call that begins while the consultation is closed is hung up', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const { promise: told, resolve: tell } = gate();
    server.once('call.start', async () => {
      await told;
      return { call: here.scripted.view };
    });
    const starting = codeOf(here.consultation.startCall('voice'));
    await eventually(
      () => server.payloads('call.start').length,
      (count) => count === 1,
    );
    server.once('consultation.unwatch', () => {
      tell(null);
      return 'silence';
    });
    await here.consultation.close();
    expect(await starting).toBe('ABORTED');
    await eventually(
      () => server.payloads('call.hangUp').length,
      (count) => count === 1,
    );
    expect(here.media.running).toEqual([]);
  });

  it('[SDK175] another microphone in place of one that the system took is not shown as interrupted', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const call = await answered(here, server);
    here.media.tracks[0]?.remoteMute();
    await eventually(
      () => server.payloads('seat.setInterrupted').at(-1)?.interrupted,
      (interrupted) => interrupted === true,
    );
    await call.selectDevice({ kind: 'microphone', deviceId: 'headset' });
    await eventually(
      () => server.payloads('seat.setInterrupted').at(-1)?.interrupted,
      (interrupted) => interrupted === false,
    );
  });

  it('[SDK152] a call that is hidden and shown again before the server has answered is shown', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const call = await answered(here, server);
    const { promise: told, resolve: tell } = gate();
    server.once('seat.setView', async ({ view }) => {
      await told;
      return { call: here.scripted.changeSeat(patient, { view }) };
    });
    const hidden = call.setView('background');
    await eventually(
      () => server.payloads('seat.setView').length,
      (count) => count === 1,
    );
    const shown = call.setView('full');
    tell(null);
    await Promise.all([hidden, shown]);
    expect(server.payloads('seat.setView').map(({ view }) => view)).toEqual(['background', 'full']);
    expect(call.view.seats.find(({ personId }) => personId === patient)?.view).toBe('full');
  });

  it('[SDK175] a phone call that is over before the server has heard of it leaves the microphone on', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    await answered(here, server);
    here.media.tracks[0]?.remoteMute();
    await eventually(
      () => server.payloads('seat.setInterrupted').length,
      (count) => count === 1,
    );
    here.media.tracks[0]?.remoteUnmute();
    await eventually(
      () => server.payloads('seat.setInterrupted').at(-1)?.interrupted,
      (interrupted) => interrupted === false,
    );
  });

  it('[SDK165] who spoke when the connection was lost is shown as speaking only when told again', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    here.scripted.showInSnapshots();
    const call = await answered(here, server);
    server.tell('call.activeSpeaker', { ...here.scripted.seat, personId: doctor });
    await eventually(
      () => call.activeSpeaker,
      (personId) => personId === doctor,
    );
    server.cutAll();
    await eventually(
      () => call.activeSpeaker,
      (personId) => personId === null,
    );
    expect(server.payloads('seat.join').length).toBe(1);
  });

  it('[SDK165] nobody is shown as speaking when media is built anew', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const call = await answered(here, server);
    const speakers = recorded(call.on, 'activeSpeaker');
    server.tell('call.activeSpeaker', { ...here.scripted.seat, personId: doctor });
    server.tell('seat.mediaLost', here.scripted.seat);
    await eventually(
      () => server.payloads('seat.join').length,
      (count) => count === 2,
    );
    expect(speakers).toEqual([doctor, null]);
    expect(call.activeSpeaker).toBeNull();
  });
});
