import { AppError } from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { layerFor } from '../../client-sdk/video-layers.ts';
import { recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { answered, opened } from './helpers/opened-call.ts';
import { doctor, patient } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';

/** A video call here that receives the other side's camera. */
async function withCamera(server: ScriptedServer, extra: readonly 'screen'[] = []) {
  const visit = await opened(server, { media: 'video' });
  const offer = visit.scripted.offer('camera');
  for (const source of extra) visit.scripted.offer(source);
  const call = await answered(visit, server);
  await eventually(
    () => server.payloads('seat.resumeConsumer').length,
    (count) => count === 1 + extra.length,
  );
  await visit.client.listConsultations();
  const remote = () => {
    const track = call.remoteTracks.find(({ source }) => source === 'camera');
    if (track === undefined) throw new Error('no camera is received');
    return track;
  };
  return { ...visit, call, offer, remote };
}

const count = (
  server: ScriptedServer,
  name: 'seat.setLayers' | 'seat.pauseConsumer' | 'seat.resumeConsumer',
) => server.payloads(name).length;

describe('video that is received', () => {
  it.each([
    [{ width: 160, height: 90 }, 1, 0],
    [{ width: 400, height: 300 }, 1, 0],
    [{ width: 400, height: 300 }, 2, 1],
    [{ width: 360, height: 780 }, 1, 1],
    [{ width: 1280, height: 720 }, 1, 2],
    [{ width: 390, height: 844 }, 3, 2],
  ] as const)('[SDK150] a tile of %o at %i device pixels has use for layer %i', (size, ratio, layer) => {
    expect(layerFor(size, ratio)).toBe(layer);
  });

  it('[SDK150] a hidden tile receives nothing, a small one the small picture, and nothing is told twice', async () => {
    await using server = await ScriptedServer.start();
    const here = await withCamera(server);
    await using _ = here.client;
    const { consumerId } = here.offer;
    here.remote().setViewport({ width: 300, height: 170 });
    // Only what it comes to is told.
    here.remote().setViewport(null);
    await eventually(
      () => count(server, 'seat.pauseConsumer'),
      (paused) => paused === 1,
    );
    expect(server.payloads('seat.setLayers')).toEqual([]);
    here.remote().setViewport({ width: 300, height: 170 });
    await eventually(
      () => count(server, 'seat.resumeConsumer'),
      (resumed) => resumed === 2,
    );
    expect(server.payloads('seat.setLayers')).toMatchObject([{ consumerId, spatialLayer: 0 }]);
    here.remote().setViewport({ width: 310, height: 180 });
    here.remote().setViewport({ width: 1280, height: 720 });
    await eventually(
      () => count(server, 'seat.setLayers'),
      (layers) => layers === 2,
    );
    expect(server.payloads('seat.setLayers').at(-1)).toMatchObject({ spatialLayer: 2 });
    expect([count(server, 'seat.pauseConsumer'), count(server, 'seat.resumeConsumer')]).toEqual([1, 2]);
  });

  it('[SDK151] what a tile needs is told again when media is built anew', async () => {
    await using server = await ScriptedServer.start();
    const here = await withCamera(server);
    await using _ = here.client;
    here.remote().setViewport({ width: 300, height: 170 });
    await eventually(
      () => count(server, 'seat.setLayers'),
      (layers) => layers === 1,
    );
    here.scripted.offers = [];
    const anew = here.scripted.offer('camera');
    server.tell('seat.mediaLost', here.scripted.seat);
    await eventually(
      () => count(server, 'seat.setLayers'),
      (layers) => layers === 2,
    );
    expect(server.payloads('seat.setLayers').at(-1)).toMatchObject({
      consumerId: anew.consumerId,
      spatialLayer: 0,
    });
  });

  it.each(['seat.pauseConsumer', 'seat.resumeConsumer'] as const)(
    '[SDK151] a %s whose answer was lost with the connection is repeated, and media goes on',
    async (name) => {
      await using server = await ScriptedServer.start();
      const here = await withCamera(server);
      await using _ = here.client;
      here.scripted.showInSnapshots();
      if (name === 'seat.resumeConsumer') {
        here.remote().setViewport(null);
        await eventually(
          () => count(server, 'seat.pauseConsumer'),
          (paused) => paused === 1,
        );
      }
      const before = count(server, name);
      server.once(name, () => {
        server.cutAll();
        return 'silence';
      });
      here.remote().setViewport(name === 'seat.pauseConsumer' ? null : { width: 1280, height: 720 });
      await eventually(
        () => count(server, name),
        (told) => told === before + 2,
      );
      expect(server.payloads('seat.join').length).toBe(1);
    },
  );

  it('[SDK150] a shared screen is received whole or not at all', async () => {
    await using server = await ScriptedServer.start();
    const here = await withCamera(server, ['screen']);
    await using _ = here.client;
    const screen = here.call.remoteTracks.find(({ source }) => source === 'screen');
    screen?.setViewport({ width: 100, height: 60 });
    here.remote().setViewport(null);
    await eventually(
      () => count(server, 'seat.pauseConsumer'),
      (paused) => paused === 1,
    );
    expect(server.payloads('seat.setLayers')).toEqual([]);
  });

  it('[SDK152] how the call is shown is told once, and again after a rebuild that has forgotten it', async () => {
    await using server = await ScriptedServer.start();
    const here = await withCamera(server);
    await using _ = here.client;
    await here.call.setView('floating');
    await here.call.setView('floating');
    expect(server.payloads('seat.setView')).toMatchObject([{ view: 'floating' }]);
    here.scripted.changeSeat(patient, { view: 'full' });
    server.tell('seat.mediaLost', here.scripted.seat);
    await eventually(
      () => server.payloads('seat.setView').length,
      (told) => told === 2,
    );
    expect(server.payloads('seat.setView').at(-1)).toMatchObject({ view: 'floating' });
  });
});

describe('sound alone', () => {
  it('[SDK153] the person gives up all video and takes it back, over a rebuild; the camera’s light goes off meanwhile', async () => {
    await using server = await ScriptedServer.start();
    const here = await withCamera(server);
    await using _ = here.client;
    const { call, media } = here;
    const told = recorded(call.on, 'audioOnly');
    await call.setAudioOnly(true);
    expect(media.running).toEqual(['audio']);
    expect(call.localTracks.camera).toBeNull();
    // What the person wants of the camera is another matter.
    expect(call.cameraOn).toBe(true);
    await eventually(
      () => server.payloads('seat.setView').at(-1)?.view,
      (view) => view === 'audio_only',
    );
    await eventually(
      () => server.payloads('seat.setSource').at(-1),
      (last) => last?.source === 'camera' && !last.on,
    );
    server.tell('seat.mediaLost', here.scripted.seat);
    await eventually(
      () => server.payloads('seat.join').length,
      (joins) => joins === 2,
    );
    await eventually(
      () => server.payloads('seat.produce').length,
      (produced) => produced === 3,
    );
    expect(server.payloads('seat.produce').at(-1)).toMatchObject({ source: 'microphone' });
    await call.setAudioOnly(false);
    await eventually(
      () => server.payloads('seat.produce').length,
      (produced) => produced === 4,
    );
    expect(media.running).toEqual(['audio', 'video']);
    expect(server.payloads('seat.setView').at(-1)?.view).toBe('full');
    expect(told).toEqual([
      { on: true, reason: 'chosen' },
      { on: false, reason: null },
    ]);
  });

  it('[SDK153] a camera that was off stays off when video is taken back', async () => {
    await using server = await ScriptedServer.start();
    const here = await withCamera(server);
    await using _ = here.client;
    await here.call.setCamera(false);
    await here.call.setAudioOnly(true);
    await here.call.setAudioOnly(false);
    await here.client.listConsultations();
    expect(here.call.cameraOn).toBe(false);
    expect(here.media.running).toEqual(['audio']);
  });

  it('[SDK153] who switches the camera on has had enough of sound alone', async () => {
    await using server = await ScriptedServer.start();
    const here = await withCamera(server);
    await using _ = here.client;
    await here.call.setCamera(false);
    await here.call.setAudioOnly(true);
    await here.call.setCamera(true);
    expect(here.call.audioOnly).toEqual({ on: false, reason: null });
    expect(here.media.running).toEqual(['audio', 'video']);
  });
});

describe('a shared screen', () => {
  it('[SDK155] it is claimed before it is sent, in one size that can be read', async () => {
    await using server = await ScriptedServer.start();
    const here = await withCamera(server);
    await using _ = here.client;
    await here.call.setScreen(true);
    const sent = here.media.current.send.sent.at(-1);
    expect(sent?.encodings).toMatchObject([{ maxFramerate: 15 }]);
    expect(sent?.track.contentHint).toBe('detail');
    expect(here.media.screensAsked).toMatchObject([
      { video: { width: { max: 1920 }, frameRate: { max: 15 } } },
    ]);
    const names = server.received.map(({ name }) => name);
    expect(names.lastIndexOf('seat.produce')).toBeGreaterThan(names.indexOf('seat.setSource'));
    expect(server.payloads('seat.setSource')).toMatchObject([{ source: 'screen', on: true }]);
    expect(here.call.localTracks.screen).toBe(sent?.track);
    await here.call.setScreen(false);
    expect(sent?.track.readyState).toBe('ended');
    expect(here.call.screenOn).toBe(false);
    expect(server.payloads('seat.setSource').at(-1)).toMatchObject({ source: 'screen', on: false });
  });

  it('[SDK155] while another shares, the person is not even asked what to share', async () => {
    await using server = await ScriptedServer.start();
    const here = await withCamera(server);
    await using _ = here.client;
    here.scripted.changeSeat(doctor, { screenOn: true });
    here.scripted.ring();
    await eventually(
      () => here.call.view.seats.some(({ screenOn }) => screenOn),
      (shares) => shares,
    );
    expect(await codeOf(here.call.setScreen(true))).toBe('WRONG_STATE');
    expect(here.media.screensAsked).toEqual([]);
    expect(here.call.screenOn).toBe(false);
  });

  it('[SDK155] of two who begin at once, the one whom the server refuses sends nothing', async () => {
    await using server = await ScriptedServer.start();
    const here = await withCamera(server);
    await using _ = here.client;
    const joins = server.payloads('seat.join').length;
    server.once('seat.setSource', () => {
      throw new AppError('WRONG_STATE');
    });
    expect(await codeOf(here.call.setScreen(true))).toBe('WRONG_STATE');
    await here.client.listConsultations();
    expect(here.media.tracks.at(-1)?.readyState).toBe('ended');
    expect(here.call.screenOn).toBe(false);
    expect(server.payloads('seat.produce').some(({ source }) => source === 'screen')).toBe(false);
    expect(server.payloads('seat.join').length).toBe(joins);
  });

  it('[SDK156] the browser’s own button ends it, without a problem', async () => {
    await using server = await ScriptedServer.start();
    const here = await withCamera(server);
    await using _ = here.client;
    await here.call.setScreen(true);
    const problems = recorded(here.call.on, 'problem');
    here.media.tracks.at(-1)?.remoteStop();
    expect(here.call.screenOn).toBe(false);
    expect(here.call.localTracks.screen).toBeNull();
    await eventually(
      () => server.payloads('seat.setSource').at(-1)?.on,
      (on) => on === false,
    );
    expect(problems).toEqual([]);
  });

  it('[SDK156] it goes on after media was built anew, without asking again', async () => {
    await using server = await ScriptedServer.start();
    const here = await withCamera(server);
    await using _ = here.client;
    await here.call.setScreen(true);
    server.tell('seat.mediaLost', here.scripted.seat);
    await eventually(
      () => server.payloads('seat.produce').filter(({ source }) => source === 'screen').length,
      (produced) => produced === 2,
    );
    expect(here.media.screensAsked.length).toBe(1);
    expect(here.call.screenOn).toBe(true);
  });

  it('[SDK156] a dialogue that the person closes leaves it off, and nobody was told otherwise', async () => {
    await using server = await ScriptedServer.start();
    const here = await withCamera(server);
    await using _ = here.client;
    here.media.refuse = ({ screen }) => (screen === true ? 'NotAllowedError' : null);
    expect(await codeOf(here.call.setScreen(true))).toBe('PERMISSION_DENIED');
    expect(here.call.screenOn).toBe(false);
    expect(server.payloads('seat.setSource')).toEqual([]);
  });

  it('[SDK155] a call that becomes voice ends it', async () => {
    await using server = await ScriptedServer.start();
    const here = await withCamera(server);
    await using _ = here.client;
    await here.call.setScreen(true);
    await here.call.setMedia('voice');
    expect(here.media.running).toEqual(['audio']);
    expect(here.call.screenOn).toBe(false);
    expect(await codeOf(here.call.setScreen(true))).toBe('WRONG_STATE');
  });
});

describe('servers for the way through firewalls', () => {
  it('[SDK157] those of the join are used by both transports', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    here.scripted.iceServers = [{ urls: ['turn:turn.test:3478'], username: 'u', credential: 'c' }];
    await answered(here, server);
    const { send, receive } = here.media.current;
    expect(send.options.iceServers).toEqual(here.scripted.iceServers);
    expect(receive.options.iceServers).toEqual(here.scripted.iceServers);
  });
});
