import { QualityReport } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { describe, expect, it } from 'vitest';
import type { QualitySample } from '../../client-sdk/api.ts';
import { AudioOnly } from '../../client-sdk/call-audio-only.ts';
import { Lifetime } from '../../client-sdk/lifetime.ts';
import { AudioOnlyPolicy, type VideoEvidence } from '../../client-sdk/quality-fallback.ts';
import { levelOf } from '../../client-sdk/quality-level.ts';
import { QualityMonitor } from '../../client-sdk/quality-monitor.ts';
import { measure, pictureRate, readStats, type StatsPair } from '../../client-sdk/quality-stats.ts';
import { recorded } from './helpers/clients.ts';
import { eventually } from './helpers/eventually.ts';
import { answered, opened } from './helpers/opened-call.ts';
import { doctor } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';

type Stat = Readonly<Record<string, unknown>> & { readonly id: string };

const report = (...stats: readonly Stat[]): ReadonlyMap<string, unknown> =>
  new Map(stats.map((stat) => [stat.id, stat]));

/** What a browser reports after so many packets, some of them lost. */
function statsAt({
  packets,
  lostOut = 0,
  lostIn = 0,
}: {
  packets: number;
  lostOut?: number;
  lostIn?: number;
}): StatsPair {
  const bytes = packets * 100;
  return {
    send: report(
      { id: 'transport', type: 'transport', selectedCandidatePairId: 'pair' },
      { id: 'other', type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 9 },
      {
        id: 'pair',
        type: 'candidate-pair',
        localCandidateId: 'local',
        currentRoundTripTime: 0.08,
        availableOutgoingBitrate: 640_000,
      },
      { id: 'local', type: 'local-candidate', candidateType: 'host', protocol: 'udp' },
      {
        id: 'out',
        type: 'outbound-rtp',
        kind: 'video',
        bytesSent: bytes,
        packetsSent: packets,
        qualityLimitationReason: 'bandwidth',
      },
      {
        id: 'remote',
        type: 'remote-inbound-rtp',
        kind: 'audio',
        localId: 'out',
        packetsLost: lostOut,
        jitter: 0.012,
      },
    ),
    receive: report({
      id: 'in',
      type: 'inbound-rtp',
      kind: 'audio',
      bytesReceived: bytes * 2,
      packetsReceived: packets,
      packetsLost: lostIn,
      jitter: 0.02,
    }),
  };
}

describe('what is measured', () => {
  it('[SDK160] delays come from the selected path, rates and losses from what changed', () => {
    const before = readStats(statsAt({ packets: 100 }), 1_000);
    const now = readStats(statsAt({ packets: 300, lostOut: 4, lostIn: 50 }), 3_000);
    expect(now).toMatchObject({
      rttMs: 80,
      jitterMs: 20,
      path: 'udp',
      limitedBy: 'network',
      availableSendKbps: 640,
    });
    expect(measure(before, now)).toEqual({
      rttMs: 80,
      jitterMs: 20,
      // 50 of 250 arriving ones; the other direction lost 2 %.
      lossPercent: 20,
      sendKbps: 80,
      receiveKbps: 160,
    });
  });

  it('[SDK160] a first look has no rates, and counters that fall are no gain', () => {
    const first = readStats(statsAt({ packets: 300, lostIn: 9 }), 1_000);
    expect(measure(null, first)).toMatchObject({ lossPercent: null, sendKbps: null, receiveKbps: null });
    const anew = readStats(statsAt({ packets: 10 }), 3_000);
    expect(measure(first, anew)).toMatchObject({ lossPercent: null, sendKbps: 0, receiveKbps: 0 });
    expect(readStats({ send: null, receive: null }, 0)).toMatchObject({ rttMs: null, path: 'unknown' });
  });

  it('[SDK160] pictures are counted as they arrive, by what the browser tells of them', () => {
    const seen = (framesReceived: number, framesDecoded: number) => ({
      send: null,
      receive: report(
        { id: 'a', type: 'inbound-rtp', kind: 'video', framesReceived },
        { id: 'b', type: 'inbound-rtp', kind: 'video', framesDecoded },
        { id: 'c', type: 'inbound-rtp', kind: 'audio' },
      ),
    });
    const before = readStats(seen(100, 10), 1_000);
    expect(pictureRate(before, readStats(seen(150, 20), 3_000))).toBe(30);
    expect(pictureRate(null, before)).toBeNull();
    expect(pictureRate(before, readStats(seen(0, 0), 2_000))).toBe(0);
  });

  it.each([
    [{ candidateType: 'relay', protocol: 'udp' }, 'relay'],
    [{ candidateType: 'host', protocol: 'tcp' }, 'tcp'],
    [{ candidateType: 'srflx', protocol: 'udp' }, 'udp'],
    [{}, 'unknown'],
  ] as const)(
    '[SDK160] a local candidate %o is a path by %s, also as Firefox names it',
    (candidate, path) => {
      const send = report(
        { id: 'pair', type: 'candidate-pair', selected: true, localCandidateId: 'local' },
        { id: 'local', type: 'local-candidate', ...candidate },
      );
      expect(readStats({ send, receive: null }, 0).path).toBe(path);
    },
  );

  it.each([
    [{ rttMs: null, jitterMs: null, lossPercent: null }, 'good'],
    [{ rttMs: 120, jitterMs: 10, lossPercent: 0.5 }, 'good'],
    [{ rttMs: 350, jitterMs: 10, lossPercent: 0 }, 'fair'],
    [{ rttMs: 50, jitterMs: 60, lossPercent: 0 }, 'fair'],
    [{ rttMs: 50, jitterMs: 5, lossPercent: 4 }, 'fair'],
    [{ rttMs: 900, jitterMs: 5, lossPercent: 0 }, 'poor'],
    [{ rttMs: 50, jitterMs: 5, lossPercent: 12 }, 'poor'],
  ] as const)('[SDK161] %o is %s', (measured, level) => {
    expect(levelOf(measured)).toBe(level);
  });
});

/** A monitor that looks every millisecond, until the test ends. */
function monitored(options: Partial<ConstructorParameters<typeof QualityMonitor>[0]> = {}) {
  const life = new Lifetime();
  const samples: QualitySample[] = [];
  const reports: QualityReport[] = [];
  const monitor = new QualityMonitor({
    life,
    stats: async () => statsAt({ packets: 10 }),
    isInterrupted: () => false,
    onSample: (sample) => samples.push(sample),
    report: async (told) => reports.push(told),
    everyMs: 1,
    ...options,
  });
  return { life, samples, reports, monitor, [Symbol.dispose]: () => life.end(new AppError('ABORTED')) };
}

describe('the monitor', () => {
  it('[SDK161] a level that changes is reported at once, the same one not before its time', async () => {
    let isInterrupted = false;
    using watch = monitored({ isInterrupted: () => isInterrupted });
    await eventually(
      () => watch.samples.length,
      (count) => count >= 5,
    );
    expect(watch.reports.map(({ level }) => level)).toEqual(['good']);
    isInterrupted = true;
    await eventually(
      () => watch.reports.map(({ level }) => level),
      (levels) => levels.length === 2 && levels[1] === 'lost',
    );
    for (const told of watch.reports) expect(QualityReport.parse(told)).toEqual(told);
  });

  it('[SDK161] a report that was not heard is repeated, and one is due when its time has come', async () => {
    let refused = 0;
    using watch = monitored({
      report: async () => {
        refused += 1;
        throw new AppError('DISCONNECTED');
      },
    });
    await eventually(
      () => refused,
      (count) => count >= 3,
    );
    expect(watch.samples.length).toBeGreaterThan(2);
    using due = monitored({ reportEveryMs: 5 });
    await eventually(
      () => due.reports.length,
      (count) => count >= 3,
    );
  });

  it('[SDK160] statistics that never come do not stop it', async () => {
    let asked = 0;
    using watch = monitored({
      stats: () => {
        asked += 1;
        return asked === 1 ? new Promise(() => {}) : Promise.resolve(statsAt({ packets: 10 }));
      },
      statsPatienceMs: 5,
    });
    await eventually(
      () => watch.samples.length,
      (count) => count > 0,
    );
  });

  it('[SDK160] the last two minutes are remembered, and the end of the call stops it', async () => {
    const watch = monitored();
    await eventually(
      () => watch.samples.length,
      (count) => count > 70,
    );
    expect(watch.monitor.samples.length).toBe(60);
    expect(watch.monitor.samples.at(-1)).toBe(watch.samples.at(-1));
    watch[Symbol.dispose]();
    const { length } = watch.samples;
    await new Promise((resolve) => setImmediate(resolve));
    expect(watch.samples.length).toBe(length);
  });
});

const fine: VideoEvidence = {
  level: 'good',
  rttMs: 60,
  lossPercent: 0,
  sendKbps: 900,
  receiveKbps: 900,
  receiveFps: 25,
  limitedBy: 'none',
  availableSendKbps: 1_500,
  sendsVideo: true,
  expectsVideo: true,
};

/** Looks every two seconds for so long; answers what it came to each time. */
function observe(
  policy: AudioOnlyPolicy,
  evidence: Partial<VideoEvidence>,
  fromMs: number,
  forMs: number,
): boolean[] {
  const looks: boolean[] = [];
  for (let now = fromMs; now <= fromMs + forMs; now += 2_000)
    looks.push(policy.observe({ ...fine, ...evidence }, now));
  return looks;
}

describe('sound before pictures', () => {
  it.each([
    ['heavy loss', { lossPercent: 16 }],
    ['a sending rate that carries no video', { availableSendKbps: 100 }],
    [
      'a sender that is held back, where the browser names no rate',
      { availableSendKbps: null, limitedBy: 'network', sendKbps: 90 },
    ],
    ['another’s camera that does not get through', { receiveKbps: 30, receiveFps: 2 }],
    ['one of which the browser tells only the rate', { receiveKbps: 30, receiveFps: null }],
  ] as const)('[SDK162] %s gives up video after eight seconds, not before', (_title, evidence) => {
    expect(observe(new AudioOnlyPolicy(), evidence, 0, 8_000)).toEqual([false, false, false, false, true]);
  });

  it.each([
    ['a good network', {}],
    ['a still picture', { sendKbps: 20 }],
    ['a still picture of somebody else who is silent', { receiveKbps: 30, receiveFps: 15 }],
    ['loss that can be mended', { lossPercent: 12 }],
    ['a call without video', { lossPercent: 40, sendsVideo: false, expectsVideo: false }],
    ['a receiver who is sent nothing because nobody sends', { receiveKbps: 30, expectsVideo: false }],
    ['a path that is lost altogether', { level: 'lost', receiveKbps: 0 }],
  ] as const)('[SDK162] %s gives up nothing', (_title, evidence) => {
    expect(observe(new AudioOnlyPolicy(), evidence, 0, 60_000)).not.toContain(true);
  });

  it('[SDK162] one good look begins the count anew', () => {
    const policy = new AudioOnlyPolicy();
    observe(policy, { lossPercent: 20 }, 0, 6_000);
    policy.observe(fine, 8_000);
    expect(observe(policy, { lossPercent: 20 }, 10_000, 6_000)).not.toContain(true);
  });

  it('[SDK163] video comes back after twenty good seconds, and after forty when that was too early', () => {
    const policy = new AudioOnlyPolicy();
    const alone = { sendsVideo: false, expectsVideo: false, availableSendKbps: 100, receiveKbps: 30 };
    observe(policy, { lossPercent: 20 }, 0, 8_000);
    // Better than what gave it up is not good enough to take it back.
    expect(observe(policy, { ...alone, lossPercent: 10 }, 10_000, 60_000)).not.toContain(false);
    expect(observe(policy, alone, 80_000, 18_000)).not.toContain(false);
    expect(policy.observe({ ...fine, ...alone }, 100_000)).toBe(false);
    expect(observe(policy, { lossPercent: 20 }, 102_000, 8_000).at(-1)).toBe(true);
    expect(observe(policy, alone, 112_000, 38_000)).not.toContain(false);
    expect(policy.observe({ ...fine, ...alone }, 152_000)).toBe(false);
  });

  it('[SDK164] the person’s choice is never touched, in either direction', () => {
    const told: unknown[] = [];
    const mode = new AudioOnly((state) => told.push(state));
    const bad = (fromMs: number) => {
      for (let now = fromMs; now <= fromMs + 10_000; now += 2_000)
        mode.observe({ ...fine, lossPercent: 30 }, now);
    };
    mode.choose(true);
    for (let now = 0; now < 90_000; now += 2_000) mode.observe(fine, now);
    expect(mode.state).toEqual({ on: true, reason: 'chosen' });
    mode.choose(false);
    bad(100_000);
    expect(mode.state).toEqual({ on: true, reason: 'network' });
    // Video, whatever the network does.
    mode.choose(false);
    bad(200_000);
    expect(mode.state).toEqual({ on: false, reason: null });
    expect(told.length).toBe(4);
  });
});

describe('a call that is watched', () => {
  it('[SDK160] the app sees samples, and the server a report, of what flows', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const call = await answered(here, server);
    const { send, receive } = here.media.current;
    const samples = recorded(call.on, 'quality');
    const pair = statsAt({ packets: 100 });
    send.stats = new Map(pair.send as Iterable<[string, Stat]>);
    receive.stats = new Map(pair.receive as Iterable<[string, Stat]>);
    await eventually(
      () => samples.length,
      (count) => count === 1,
    );
    expect(samples[0]).toMatchObject({ rttMs: 80, path: 'udp', level: 'good', limitedBy: 'network' });
    expect(call.quality).toEqual(samples);
    await eventually(
      () => server.payloads('seat.reportQuality').length,
      (count) => count === 1,
    );
    expect(server.payloads('seat.reportQuality')[0]?.report).toMatchObject({ rttMs: 80, level: 'good' });
    await call.hangUp();
    expect(call.quality).toEqual(samples);
  });

  it('[SDK162] a bad network gives up video in the call, keeps the camera open for its return, and says why', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server, { media: 'video' });
    await using _ = here.client;
    const call = await answered(here, server);
    const told = recorded(call.on, 'audioOnly');
    const { handler } = here.media.current.send;
    let packets = 0;
    handler.getTransportStats = async () => {
      packets += 100;
      return new Map(statsAt({ packets, lostOut: packets * 0.3 }).send as Iterable<[string, Stat]>);
    };
    await eventually(
      () => told.length,
      (count) => count === 1,
      20_000,
    );
    expect(call.audioOnly).toEqual({ on: true, reason: 'network' });
    expect(call.localTracks.camera).toBeNull();
    expect(here.media.tracks.find(({ kind }) => kind === 'video')).toMatchObject({
      readyState: 'live',
      enabled: false,
    });
    await eventually(
      () => server.payloads('seat.setView').at(-1)?.view,
      (view) => view === 'audio_only',
    );
    // The person's own word counts more.
    await call.setAudioOnly(false);
    await here.client.listConsultations();
    await eventually(
      () => call.localTracks.camera,
      (track) => track !== null,
    );
    expect(here.media.asked.length).toBe(1);
  });

  it('[SDK162] a call that is not looked at needs no pictures, so that none arrive gives up nothing', {
    timeout: 30_000,
  }, async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server, { media: 'video' });
    await using _ = here.client;
    here.scripted.offer('camera');
    const call = await answered(here, server);
    await call.setView('background');
    const samples = recorded(call.on, 'quality');
    await eventually(
      () => samples.length,
      (count) => count === 6,
      20_000,
    );
    expect(samples.at(-1)?.receiveKbps).toBe(0);
    expect(call.audioOnly.on).toBe(false);
    expect(call.localTracks.camera).not.toBeNull();
  });

  it('[SDK165] who speaks and how good the others’ connections are is told, until they leave', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const call = await answered(here, server);
    const peers = recorded(call.on, 'peerQuality');
    const speakers = recorded(call.on, 'activeSpeaker');
    const { seat } = here.scripted;
    server.tell('call.activeSpeaker', { ...seat, personId: doctor });
    server.tell('call.activeSpeaker', { ...seat, personId: doctor });
    server.tell('seat.qualityChanged', { ...seat, personId: doctor, level: 'poor' });
    await eventually(
      () => call.peerQuality.get(doctor),
      (level) => level === 'poor',
    );
    expect(call.activeSpeaker).toBe(doctor);
    here.scripted.changeSeat(doctor, { state: 'left', leftReason: 'hung_up' });
    here.scripted.ring();
    await eventually(
      () => call.peerQuality.size,
      (size) => size === 0,
    );
    expect(speakers).toEqual([doctor, null]);
    expect(peers.map((map) => [...map])).toEqual([[[doctor, 'poor']], []]);
  });
});
