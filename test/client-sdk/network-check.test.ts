import type { RequestInput, RequestName, RequestResult } from '@teleconsult/protocol';
import {
  AppError,
  CheckId,
  type DeviceId,
  RtpCapabilities,
  type TransportOffer,
} from '@teleconsult/protocol';
import { FakeMediaStreamTrack } from 'fake-mediastreamtrack';
import { testFakeParameters } from 'mediasoup-client';
import { describe, expect, it } from 'vitest';
import { Lifetime } from '../../client-sdk/lifetime.ts';
import { MediaDevice } from '../../client-sdk/media-device.ts';
import { checkNetwork, type NetworkCheckOptions } from '../../client-sdk/network-check.ts';
import { type Finding, networkReport } from '../../client-sdk/network-check-verdict.ts';
import { defaultReconnectPolicy } from '../../client-sdk/reconnect-policy.ts';
import type { Signalling } from '../../client-sdk/requests.ts';
import { Faults } from '../../client-sdk/simulation/faults.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { FakeMedia } from './helpers/fake-media.ts';

const measured: Extract<Finding, { kind: 'measured' }> = {
  kind: 'measured',
  path: 'udp',
  networkType: 'wifi',
  rttMs: 40,
  jitterMs: 5,
  lossPercent: 0,
  sendKbps: 900,
  receiveKbps: 900,
};

describe('what a network check tells the person', () => {
  it.each([
    ['all is well', {}, 'good', []],
    [
      'nothing was measured but media came through',
      { rttMs: null, jitterMs: null, lossPercent: null, sendKbps: null, receiveKbps: null },
      'good',
      [],
    ],
    ['a slow route', { rttMs: 400 }, 'fair', ['slow_route']],
    ['a shaky wireless link', { jitterMs: 60 }, 'fair', ['move_closer_to_wifi', 'close_other_downloads']],
    ['loss on a cable', { lossPercent: 5, networkType: 'ethernet' }, 'fair', []],
    [
      'a line that others fill',
      { receiveKbps: 300, networkType: 'ethernet' },
      'fair',
      ['close_other_downloads'],
    ],
    [
      'a line for speech alone',
      { sendKbps: 120 },
      'poor',
      ['move_closer_to_wifi', 'close_other_downloads', 'use_voice_only'],
    ],
    ['heavy loss', { lossPercent: 15 }, 'poor', ['move_closer_to_wifi', 'use_voice_only']],
    ['a satellite', { rttMs: 800, networkType: 'ethernet' }, 'poor', ['use_voice_only', 'slow_route']],
  ] as const)('[SDK180] %s', (_title, changes, verdict, advice) => {
    expect(networkReport({ ...measured, ...changes })).toMatchObject({ verdict, advice, path: 'udp' });
  });

  it.each(['media_blocked', 'no_connection'] as const)(
    '[SDK180] a check that failed says %s and no numbers',
    (kind) => {
      expect(networkReport({ kind })).toEqual({
        verdict: 'failed',
        advice: [kind],
        path: null,
        rttMs: null,
        jitterMs: null,
        lossPercent: null,
        sendKbps: null,
        receiveKbps: null,
      });
    },
  );
});

const checkId = CheckId.parse(`chk_${'A'.repeat(22)}`);
const iceServers = [{ urls: ['turn:turn.test:3478'], username: 'u', credential: 'c' }];

function transportOffer(): TransportOffer {
  const { id, iceParameters, iceCandidates, dtlsParameters } =
    testFakeParameters.generateTransportRemoteParameters();
  return { transportId: id, iceParameters, iceCandidates, dtlsParameters } as TransportOffer;
}

type Handler = (payload: unknown) => unknown;

/** The server's half of a check, and what it was asked. */
function scripted(overrides: Partial<Record<RequestName, Handler>> = {}) {
  const asked: RequestName[] = [];
  const consumer = () => {
    const { id, producerId, kind, rtpParameters } = testFakeParameters.generateConsumerRemoteParameters({
      codecMimeType: 'audio/opus',
    });
    return {
      consumerId: id,
      producerId,
      from: 'self',
      source: 'microphone',
      kind,
      rtpParameters,
      producerPaused: false,
    };
  };
  const answers: Partial<Record<RequestName, Handler>> = {
    'check.open': () => ({
      checkId,
      routerRtpCapabilities: RtpCapabilities.parse(testFakeParameters.generateRouterRtpCapabilities()),
      send: transportOffer(),
      receive: transportOffer(),
      iceServers,
      until: Date.now() + 60_000,
    }),
    'check.connectTransport': () => ({}),
    'check.produce': () => ({ producerId: 'p' }),
    'check.consume': () => ({ consumers: [consumer()] }),
    'check.close': () => ({}),
    ...overrides,
  };
  const signalling: Signalling = {
    deviceId: 'device' as DeviceId,
    personId: null,
    connected: true,
    request: async <N extends RequestName>(name: N, payload: RequestInput<N>) => {
      asked.push(name);
      return (await answers[name]?.(payload)) as RequestResult<N>;
    },
    untilConnected: async () => {},
    onConnected: () => () => {},
    onNetwork: () => () => {},
    reconnect: defaultReconnectPolicy,
    faults: new Faults(),
    networkIsBack: () => {},
    probe: () => {},
  };
  return { asked, signalling };
}

/** A check whose media is fake and connects when the test says so. */
function checking(
  { signalling }: { signalling: Signalling },
  {
    times = { measureMs: 24, pathMs: 5_000 },
    ...options
  }: NetworkCheckOptions & { times?: { measureMs: number; pathMs: number } } = {},
) {
  const media = new FakeMedia();
  const sent = [new FakeMediaStreamTrack({ kind: 'audio' }), new FakeMediaStreamTrack({ kind: 'video' })];
  const tracks = { tracks: sent, close: () => sent.forEach((track) => track.stop()) };
  const life = new Lifetime();
  const report = checkNetwork(
    { signalling, device: new MediaDevice(media), life, openTracks: () => tracks, times },
    options,
  );
  report.catch(() => {});
  const stopped = () => sent.every(({ readyState }) => readyState === 'ended');
  return { media, report, stopped, life };
}

async function connect({ media }: ReturnType<typeof checking>): Promise<void> {
  await eventually(
    () => media.transports.length,
    (count) => count === 2,
  );
  media.current.send.handler.setConnectionState('connected');
  media.current.receive.handler.setConnectionState('connected');
}

describe('a network check', () => {
  it('[SDK181] what is sent comes back and is measured, with the servers for firewalls, and the check is closed', async () => {
    const server = scripted();
    const shares: number[] = [];
    const check = checking(server, { onProgress: (share) => shares.push(share) });
    await connect(check);
    const { send } = check.media.current;
    send.stats = new Map([
      [
        'pair',
        {
          id: 'pair',
          type: 'candidate-pair',
          nominated: true,
          state: 'succeeded',
          localCandidateId: 'l',
          currentRoundTripTime: 0.9,
        },
      ],
      ['l', { id: 'l', type: 'local-candidate', candidateType: 'relay', protocol: 'udp' }],
    ]);
    expect(await check.report).toMatchObject({ path: 'relay', rttMs: 900, verdict: 'poor' });
    expect(server.asked.filter((name) => name === 'check.produce').length).toBe(2);
    expect(server.asked.at(-1)).toBe('check.close');
    expect(send.options.iceServers).toEqual(iceServers);
    expect(shares[0]).toBe(0);
    expect(shares.at(-1)).toBe(1);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(check.stopped()).toBe(true);
    expect(check.media.transports.every(({ isClosed }) => isClosed)).toBe(true);
  });

  it('[SDK182] media that does not get through in time is blocked', async () => {
    const server = scripted();
    const check = checking(server, { times: { measureMs: 10, pathMs: 30 } });
    expect(await check.report).toMatchObject({ verdict: 'failed', advice: ['media_blocked'] });
    expect(server.asked.at(-1)).toBe('check.close');
    expect(check.stopped()).toBe(true);
  });

  it.each(['DISCONNECTED', 'TIMEOUT'] as const)(
    '[SDK182] a server that cannot be asked (%s) is no connection',
    async (code) => {
      const server = scripted({
        'check.open': () => {
          throw new AppError(code);
        },
      });
      const check = checking(server);
      expect(await check.report).toMatchObject({ verdict: 'failed', advice: ['no_connection'] });
      expect(check.stopped()).toBe(true);
    },
  );

  it('[SDK182] a refusal of the server is told as such, and what was opened is closed', async () => {
    const busy = scripted({
      'check.open': () => {
        throw new AppError('RATE_LIMITED');
      },
    });
    expect(await codeOf(checking(busy).report)).toBe('RATE_LIMITED');
    const dead = scripted({
      'check.consume': () => {
        throw new AppError('MEDIA_UNAVAILABLE');
      },
    });
    expect(await codeOf(checking(dead).report)).toBe('MEDIA_UNAVAILABLE');
    expect(dead.asked.at(-1)).toBe('check.close');
  });

  it('[SDK183] aborting frees everything at once and tells the server', async () => {
    const server = scripted();
    const abort = new AbortController();
    const check = checking(server, { signal: abort.signal });
    await connect(check);
    abort.abort();
    expect(await codeOf(check.report)).toBe('ABORTED');
    expect(check.stopped()).toBe(true);
    expect(server.asked.at(-1)).toBe('check.close');
    expect(check.media.transports.every(({ isClosed }) => isClosed)).toBe(true);
  });

  it('[SDK183] a check that opens after it was aborted is closed', async () => {
    const answer = Promise.withResolvers<unknown>();
    const { 'check.open': open } = { 'check.open': () => answer.promise };
    const server = scripted({ 'check.open': open });
    const abort = new AbortController();
    const check = checking(server, { signal: abort.signal });
    await eventually(
      () => server.asked.length,
      (count) => count === 1,
    );
    abort.abort();
    expect(await codeOf(check.report)).toBe('ABORTED');
    answer.resolve({ checkId });
    await eventually(
      () => server.asked.at(-1),
      (name) => name === 'check.close',
    );
  });

  it('[SDK183] closing the client ends it, too', async () => {
    const server = scripted();
    const check = checking(server);
    await connect(check);
    check.life.end(new AppError('DISCONNECTED'));
    expect(await codeOf(check.report)).toBe('DISCONNECTED');
    expect(check.stopped()).toBe(true);
  });

  it('[SDK183] without WebRTC it is refused before the server is asked', async () => {
    const server = scripted();
    const life = new Lifetime();
    const device = new MediaDevice(undefined);
    expect(await codeOf(checkNetwork({ signalling: server.signalling, device, life }))).toBe(
      'UNSUPPORTED_BROWSER',
    );
    const tracks = { tracks: [], close: () => {} };
    const withTracks = checkNetwork({
      signalling: server.signalling,
      device,
      life,
      openTracks: () => tracks,
    });
    expect(await codeOf(withTracks)).toBe('UNSUPPORTED_BROWSER');
    expect(server.asked).toEqual([]);
  });
});
