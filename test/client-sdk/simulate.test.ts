import { AppError, type SimulatedFailure } from '@teleconsult/client-sdk';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { opened, ringing } from './helpers/opened-call.ts';
import { patient } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';

type Changes = Parameters<typeof opened>[1];

/** A call on this device whose media flows, and which the server goes on with as the real one does. */
async function inCall(
  server: ScriptedServer,
  changes: Changes = {},
  options: Parameters<typeof opened>[2] = {},
) {
  const here = await opened(server, changes, options);
  here.media.connectsByItself = true;
  here.scripted.offer('microphone');
  here.scripted.showInSnapshots();
  const call = await ringing(here);
  await call.accept();
  await eventually(
    () => [call.path, call.remoteTracks.length, call.localTracks.microphone === null] as const,
    ([path, tracks, isSilent]) => path === 'connected' && tracks === 1 && !isSilent,
  );
  here.scripted.change({ state: 'live' });
  server.tell('call.changed', here.scripted.view);
  // Answers come in order: after this one nothing is under way any more.
  await here.client.listConsultations();
  return { ...here, call };
}

const withCall: readonly SimulatedFailure[] = [
  'media-loss',
  'media-rebuild',
  'reload',
  'gesture-needed',
  'interruption',
];

describe('a failure that an app tries out', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('[SDK230] signal-loss: the connection is made anew, and media goes on untouched', async () => {
    await using server = await ScriptedServer.start();
    const { client, call, media } = await inCall(server);
    await using _ = client;
    const states = recorded(client.on, 'connection');
    const paths = recorded(call.on, 'path');
    await client.simulate('signal-loss');
    expect(states.map(({ state }) => state)).toEqual(['connecting', 'connected']);
    expect(server.handshakes.length).toBe(2);
    expect(paths).toEqual([]);
    expect(media.transports.length).toBe(2);
    expect(server.payloads('seat.join').length).toBe(1);
  });

  it('[SDK230] signal-loss works without a call, too', async () => {
    await using server = await ScriptedServer.start();
    const { client } = await opened(server);
    await using _ = client;
    await client.simulate('signal-loss');
    expect(client.connection).toBe('connected');
    expect(server.handshakes.length).toBe(2);
  });

  it('[SDK231] media-loss: new ICE credentials bring both directions back on the same transports', async () => {
    await using server = await ScriptedServer.start();
    const { client, call, media } = await inCall(server);
    await using _ = client;
    const paths = recorded(call.on, 'path');
    await client.simulate('media-loss');
    expect(paths).toEqual([{ state: 'interrupted' }, { state: 'connected' }]);
    const directions = server.payloads('seat.restartIce').map(({ direction }) => direction);
    expect(directions.sort()).toEqual(['receive', 'send']);
    expect(media.transports.map(({ iceRestarts }) => iceRestarts)).toEqual([1, 1]);
    expect(server.payloads('seat.join').length).toBe(1);
    expect(server.handshakes.length).toBe(1);
  });

  it('[SDK231] media-loss waits for the server: a restart that it refuses for now does not mend the path', async () => {
    await using server = await ScriptedServer.start();
    const { client } = await inCall(server);
    await using _ = client;
    server.once('seat.restartIce', () => {
      throw new AppError('INTERNAL');
    });
    await client.simulate('media-loss');
    expect(server.payloads('seat.restartIce').length).toBeGreaterThan(2);
  });

  it('[SDK232] media-rebuild: the media is built anew in the same seat, with the same microphone', async () => {
    await using server = await ScriptedServer.start();
    const { client, call, media } = await inCall(server);
    await using _ = client;
    await client.simulate('media-rebuild');
    expect(server.payloads('seat.join').length).toBe(2);
    expect(media.transports.map(({ isClosed }) => isClosed)).toEqual([true, true, false, false]);
    expect(media.asked.length).toBe(1);
    expect(client.activeCall).toBe(call);
    expect(call.path).toBe('connected');
    expect(call.microphoneOn).toBe(true);
    expect(server.handshakes.length).toBe(1);
  });

  it('[SDK233] network-loss: nothing is reached before its time, then connection and media are back', async () => {
    await using server = await ScriptedServer.start();
    const { client, call } = await inCall(server);
    await using _ = client;
    const startedAt = performance.now();
    const restored = client.simulate('network-loss', { durationMs: 400 });
    await eventually(
      () => [client.connection, call.path],
      ([connection, path]) => connection === 'connecting' && path === 'interrupted',
    );
    await restored;
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(400);
    expect(server.handshakes.length).toBe(2);
    expect(server.payloads('seat.restartIce').length).toBe(2);
    expect(server.payloads('seat.join').length).toBe(1);
    expect([client.connection, call.path]).toEqual(['connected', 'connected']);
  });

  it.each(['server-restart', 'node-move'] as const)(
    '[SDK234] %s: a server that holds no media of the seat is joined anew, once, and told what is on',
    async (failure) => {
      await using server = await ScriptedServer.start();
      const { client, call, media } = await inCall(server);
      await using _ = client;
      await client.simulate(failure, { durationMs: 50 });
      expect(server.handshakes.length).toBe(2);
      expect(server.payloads('seat.join').length).toBe(2);
      expect(server.payloads('seat.produce').map(({ source }) => source)).toEqual([
        'microphone',
        'microphone',
      ]);
      expect(media.asked.length).toBe(1);
      expect([client.connection, call.path]).toEqual(['connected', 'connected']);
      // Over means over: what follows meets a server that is whole again.
      await call.setMicrophone(false);
      expect(server.payloads('seat.setSource')).toMatchObject([{ source: 'microphone', on: false }]);
    },
  );

  it('[SDK235] reload: the call is found again in what this device has kept, with the mute as it was', async () => {
    await using server = await ScriptedServer.start();
    const { client, call, media } = await inCall(server);
    await using _ = client;
    await call.setMicrophone(false);
    const restoring = recorded(client.on, 'restoring');
    await client.simulate('reload');
    const restored = client.activeCall;
    expect(restored?.id).toBe(call.id);
    expect(restored).not.toBe(call);
    expect(restored?.isRestored).toBe(true);
    expect(restored?.microphoneOn).toBe(false);
    expect(restored?.awaiting).toEqual([]);
    expect(restored?.path).toBe('connected');
    expect(media.running).toEqual([]);
    expect(restoring.map((one) => one?.callId)).toEqual([call.id, undefined]);
    expect(server.payloads('call.leave').length + server.payloads('call.hangUp').length).toBe(0);
    const [, again] = server.payloads('seat.join');
    expect(again?.resumeTicket).toBe('1'.padStart(32, '0'));
  });

  it('[SDK236] gesture-needed: the person is there and muted until they tap, and then all is as before', async () => {
    await using server = await ScriptedServer.start();
    const { client } = await inCall(server);
    await using _ = client;
    let isOver = false;
    const over = client.simulate('gesture-needed').then(() => {
      isOver = true;
    });
    const call = await eventually(
      () => client.activeCall,
      (one) => one?.awaiting.length === 1 && one.path === 'connected',
    );
    expect(call?.awaiting).toEqual(['microphone']);
    expect(call?.microphoneOn).toBe(false);
    expect(call?.localTracks.microphone).toBeNull();
    expect(isOver).toBe(false);
    await call?.continueSources();
    await over;
    expect(call?.microphoneOn).toBe(true);
  });

  it('[SDK237] interruption: the others are told, and told again when it is over', async () => {
    await using server = await ScriptedServer.start();
    const { client, call } = await inCall(server);
    await using _ = client;
    const { microphone } = call.localTracks;
    const over = client.simulate('interruption', { durationMs: 100 });
    await eventually(
      () => call.view.seats.find(({ personId }) => personId === patient)?.interrupted,
      (interrupted) => interrupted === true,
    );
    expect(microphone?.enabled).toBe(false);
    await over;
    expect(server.payloads('seat.setInterrupted').map(({ interrupted }) => interrupted)).toEqual([
      true,
      false,
    ]);
    expect(microphone?.enabled).toBe(true);
  });

  it('[SDK237] who mutes during an interruption stays muted', async () => {
    await using server = await ScriptedServer.start();
    const { client, call, media } = await inCall(server);
    await using _ = client;
    const over = client.simulate('interruption', { durationMs: 300 });
    await eventually(
      () => server.payloads('seat.setInterrupted').length,
      (told) => told > 0,
    );
    await call.setMicrophone(false);
    await over;
    expect(media.tracks[0]?.enabled).toBe(false);
  });

  it.each(withCall)('[SDK238] %s rejects with WRONG_STATE where no media flows', async (failure) => {
    await using server = await ScriptedServer.start();
    const { client } = await opened(server);
    await using _ = client;
    expect(await codeOf(client.simulate(failure))).toBe('WRONG_STATE');
    expect(server.handshakes.length).toBe(1);
  });

  it.each(['signal-loss', 'network-loss', 'server-restart', 'node-move'] as const)(
    '[SDK238] %s rejects with WRONG_STATE without a connection',
    async (failure) => {
      await using server = await ScriptedServer.start();
      const { client } = await opened(server, {}, { reconnect: () => 60_000 });
      await using _ = client;
      server.disconnectAll();
      await eventually(
        () => client.connection,
        (state) => state === 'connecting',
      );
      expect(await codeOf(client.simulate(failure))).toBe('WRONG_STATE');
    },
  );

  it('[SDK238] two at once are refused, a nonsensical time as well, and both leave nothing broken', async () => {
    await using server = await ScriptedServer.start();
    const { client } = await inCall(server);
    await using _ = client;
    const first = client.simulate('network-loss', { durationMs: 100 });
    expect(await codeOf(client.simulate('media-loss'))).toBe('WRONG_STATE');
    await first;
    for (const durationMs of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(await codeOf(client.simulate('network-loss', { durationMs }))).toBe('INVALID');
    await client.simulate('media-loss');
  });

  it('[SDK238] aborting ends it, and what was kept away is reached again', async () => {
    await using server = await ScriptedServer.start();
    const { client } = await inCall(server);
    await using _ = client;
    const abort = new AbortController();
    const broken = codeOf(client.simulate('network-loss', { durationMs: 60_000, signal: abort.signal }));
    await eventually(
      () => client.connection,
      (state) => state === 'connecting',
    );
    abort.abort();
    expect(await broken).toBe('ABORTED');
    await eventually(
      () => client.connection,
      (state) => state === 'connected',
    );
  });

  it('[SDK238] it rejects when the call ends meanwhile, and when the client is closed', async () => {
    await using server = await ScriptedServer.start();
    const { client, call } = await inCall(server);
    await using _ = client;
    server.on('seat.restartIce', () => 'silence');
    const broken = codeOf(client.simulate('media-loss'));
    await call.hangUp();
    expect(await broken).toBe('WRONG_STATE');
    const closed = codeOf(client.simulate('network-loss', { durationMs: 60_000 }));
    await client.close();
    expect(await closed).toBe('DISCONNECTED');
    expect(await codeOf(client.simulate('signal-loss'))).toBe('DISCONNECTED');
  });
});
