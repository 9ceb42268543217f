import { AppError } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { Lifetime } from '../../client-sdk/lifetime.ts';
import { AudioOnlyPolicy, type VideoEvidence } from '../../client-sdk/quality-fallback.ts';
import { QualityMonitor, type UnshownMeasures } from '../../client-sdk/quality-monitor.ts';
import { measure, readStats } from '../../client-sdk/quality-stats.ts';
import { eventually } from '../helpers/eventually.ts';

const fine: VideoEvidence = {
  level: 'good',
  rttMs: 60,
  lossPercent: 0,
  recentLossPercent: 0,
  sendKbps: 900,
  receiveKbps: 900,
  receiveFps: 25,
  limitedBy: 'none',
  availableSendKbps: 1_500,
  sendsVideo: true,
  expectsVideo: true,
};

/** Looks every two seconds; answers whether video was given up at any of them. */
function givesUp(looks: readonly Partial<VideoEvidence>[], everyMs = 2_000): boolean {
  const policy = new AudioOnlyPolicy();
  return looks.map((look, index) => policy.observe({ ...fine, ...look }, index * everyMs)).includes(true);
}

const repeated = (count: number, look: Partial<VideoEvidence>): Partial<VideoEvidence>[] =>
  Array.from({ length: count }, () => look);

test('[RSM20] what was lost while the path was gone gives up no video after it has come back', () => {
  const gap = [
    ...repeated(2, { lossPercent: 70, recentLossPercent: 80 }),
    ...repeated(3, { lossPercent: 60, recentLossPercent: 0 }),
  ];
  expect(givesUp([...repeated(3, { level: 'lost' }), ...gap, ...repeated(10, {})])).toBe(false);
  // The same without a word of the last seconds, and loss that goes on: both still count.
  expect(givesUp(repeated(5, { lossPercent: 70, recentLossPercent: null }))).toBe(true);
  expect(givesUp(repeated(5, { lossPercent: 70, recentLossPercent: 70 }))).toBe(true);
});

test('[RSM21] a device gives up no video because the other one has lost its network', () => {
  expect(givesUp(repeated(30, { receiveKbps: 0, receiveFps: 0 }))).toBe(false);
  expect(givesUp(repeated(5, { receiveKbps: 30, receiveFps: 0 }))).toBe(true);
});

test('[RSM22] what was seen of a path does not count against the one that was built after it', () => {
  const bad = { availableSendKbps: 100 };
  const policy = new AudioOnlyPolicy();
  for (const now of [0, 2_000, 4_000]) policy.observe({ ...fine, ...bad }, now);
  expect(policy.observe({ ...fine, ...bad }, 20_000)).toBe(false);
  expect(policy.observe({ ...fine, ...bad }, 22_000)).toBe(false);
});

test('[RSM20] the loss of the last seconds is measured apart from that of ten', async () => {
  const life = new Lifetime();
  const seen: { lossPercent: number | null; recentLossPercent: UnshownMeasures['recentLossPercent'] }[] = [];
  let look = 0;
  // A hundred packets from look to look; the third one finds that as many were lost.
  const stats = async () => {
    look += 1;
    const lost = look >= 3 ? 100 : 0;
    const received = { type: 'inbound-rtp', id: 'in', packetsReceived: look * 100, packetsLost: lost };
    return { send: new Map<string, unknown>(), receive: new Map<string, unknown>([['in', received]]) };
  };
  new QualityMonitor({
    life,
    stats,
    isInterrupted: () => false,
    onSample: ({ lossPercent }, { recentLossPercent }) => seen.push({ lossPercent, recentLossPercent }),
    report: async () => undefined,
    everyMs: 5,
  });
  await eventually('six samples', () => seen.length >= 6);
  life.end(new AppError('ABORTED'));
  expect(seen[2]).toEqual({ lossPercent: 33.3, recentLossPercent: 33.3 });
  expect(seen[4]?.recentLossPercent).toBe(0);
  expect(seen[4]?.lossPercent).toBeGreaterThan(15);
});

test('[RSM21] what the media server sends to try out the line is nothing of the others', () => {
  const inbound = (id: string, mid: string, bytes: number) => [
    id,
    { type: 'inbound-rtp', id, mid, bytesReceived: bytes, packetsReceived: bytes / 100, packetsLost: 0 },
  ];
  const at = (time: number, probed: number) =>
    readStats(
      {
        send: null,
        receive: [inbound('camera', '1', 5_000), inbound('probe', 'probator', probed)] as [string, unknown][],
      },
      time,
    );
  expect(measure(at(0, 0), at(2_000, 4_000)).receiveKbps).toBe(0);
});

test('[RSM22] what the browser expects of a path that is gone does not count', async () => {
  const low = { availableSendKbps: 60 };
  const gone = { ...low, hearsAnything: false };
  expect(givesUp([...repeated(3, gone), ...repeated(3, low), ...repeated(5, {})])).toBe(false);
  expect(givesUp(repeated(6, { ...low, hearsAnything: true }))).toBe(true);
  expect(givesUp(repeated(6, { ...low, hearsAnything: null }))).toBe(true);
});

test('[RSM22] a path is gone while nothing at all comes back on it', async () => {
  const life = new Lifetime();
  const seen: UnshownMeasures['hearsAnything'][] = [];
  const counts = [10, 25, 25, 31];
  const stats = async () => {
    const pair = { type: 'candidate-pair', id: 'pair', nominated: true, state: 'succeeded' };
    const packetsReceived = counts[Math.min(seen.length, counts.length - 1)];
    return { send: new Map<string, unknown>([['pair', { ...pair, packetsReceived }]]), receive: null };
  };
  new QualityMonitor({
    life,
    stats,
    isInterrupted: () => false,
    onSample: (_sample, more) => seen.push(more.hearsAnything),
    report: async () => undefined,
    everyMs: 5,
  });
  await eventually('four samples', () => seen.length >= 4);
  life.end(new AppError('ABORTED'));
  expect(seen.slice(0, 4)).toEqual([null, true, false, true]);
});
