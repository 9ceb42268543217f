import { A_LAW_SILENCE } from '@teleconsult/server/telephony/rtp/g711';
import { StereoTape } from '@teleconsult/server/telephony/rtp/stereo-tape';
import { expect, test } from 'vitest';
import { levelOf, sidesOf, toneOf } from './telephone.ts';

const BEEP = toneOf(1_000, 20);
const QUIET = new Uint8Array(160).fill(A_LAW_SILENCE);

/** A tape in a time of its own. */
function taping({ keeps = true, takes = true } = {}) {
  const chunks: Uint8Array[] = [];
  let frames = 0;
  let sent = 0;
  let missing = 0;
  const tape: StereoTape = new StereoTape(1, 0, (chunk) => {
    missing += chunk.missing;
    frames += chunk.missing + chunk.samples.length / 2;
    sent += chunk.samples.length;
    if (keeps) chunks.push(chunk.samples);
    if (takes) tape.taken(chunk.samples.length);
  });
  return {
    tape,
    recording: () => Buffer.concat(chunks),
    frames: () => frames,
    missing: () => missing,
    sent: () => sent,
  };
}

interface Sender {
  readonly frames: number;
  /** When frame `index` arrives, in milliseconds; null: never. */
  readonly arrives: (index: number) => number | null;
  readonly sound: (index: number) => Uint8Array;
  readonly timestamp?: (index: number) => number;
}

/** Plays what senders send in the order of its arrival, with a reading turn every 200 ms. */
function play(tape: StereoTape, senders: { a?: Sender; b?: Sender }, untilMs: number): void {
  const arrivals: { at: number; by: 'a' | 'b'; timestamp: number; sound: Uint8Array }[] = [];
  for (const by of ['a', 'b'] as const) {
    const sender = senders[by];
    for (let index = 0; sender !== undefined && index < sender.frames; index += 1) {
      const at = sender.arrives(index);
      const timestamp = (sender.timestamp?.(index) ?? 4_294_960_000 + index * 160) >>> 0;
      if (at !== null) arrivals.push({ at, by, timestamp, sound: sender.sound(index) });
    }
  }
  arrivals.sort((one, other) => one.at - other.at);
  let turn = 200;
  for (const { at, by, timestamp, sound } of arrivals) {
    for (; turn <= at; turn += 200) tape.tick(turn);
    tape.heard(by, { feed: by === 'a' ? 1 : 2, timestamp, sound, law: 8 }, at);
  }
  for (; turn <= untilMs; turn += 200) tape.tick(turn);
  tape.finish(untilMs);
}

/** Where stretches of sound begin, in milliseconds. */
function beepsOf(side: Uint8Array): number[] {
  const found: number[] = [];
  for (let start = 0; start + 40 <= side.length; start += 8) {
    const isLoud = levelOf(1_000, side.subarray(start, start + 40)) > 0.5;
    const last = found.at(-1) ?? Number.NEGATIVE_INFINITY;
    if (isLoud && start / 8 - last > 100) found.push(start / 8);
  }
  return found;
}

test('[RTP25] with jitter, reordering and loss what was said lies where it was said, on its own side', () => {
  const { tape, recording, frames } = taping();
  let seed = 7;
  const random = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    return seed / 0x7fffffff;
  };
  const jittered = (index: number): number | null =>
    // A beep is never lost, or nobody could say where it is.
    index % 25 !== 0 && random() < 0.1 ? null : index * 20 + (index === 0 ? 0 : random() * 50);
  play(
    tape,
    {
      a: { frames: 500, arrives: jittered, sound: (index) => (index % 25 === 0 ? BEEP : QUIET) },
      b: { frames: 500, arrives: jittered, sound: (index) => (index % 25 === 5 ? BEEP : QUIET) },
    },
    10_000,
  );
  expect(frames()).toBe(80_000);
  const { left, right } = sidesOf(recording());
  // Left is what b hears.
  const onLeft = beepsOf(left);
  const onRight = beepsOf(right);
  expect(onRight).toHaveLength(20);
  for (const [index, at] of onRight.entries()) expect(Math.abs(at - index * 500)).toBeLessThan(20);
  for (const at of onLeft)
    expect(Math.min((at - 100 + 500) % 500, 500 - ((at - 100 + 500) % 500))).toBeLessThan(20);
});

test('[RTP26] after an hour with a sender whose clock is wrong both sides are as long as the hour, and sound lies within 20 ms', () => {
  const hour = 3_600_000;
  const { tape, recording, frames } = taping();
  const perFrame = 20 * (1 + 100e-6);
  const count = Math.floor(hour / perFrame) - 10;
  play(
    tape,
    {
      a: {
        frames: count,
        arrives: (index) => index * perFrame,
        sound: (index) => (index % 3_000 === 0 ? BEEP : QUIET),
      },
    },
    hour,
  );
  expect(frames()).toBe(hour * 8);
  const { right, left } = sidesOf(recording());
  expect(left.length).toBe(right.length);
  const beeps: number[] = [];
  for (let minute = 0; minute < 59; minute += 1) {
    const at = minute * 3_000 * perFrame;
    const from = Math.max(0, Math.round((at - 40) * 8));
    const window = right.subarray(from, from + 120 * 8);
    const [found] = beepsOf(window);
    expect(found, `minute ${minute}`).toBeDefined();
    beeps.push((found ?? 0) + from / 8 - at);
  }
  for (const off of beeps) expect(Math.abs(off)).toBeLessThan(20);
});

test('[RTP27] silence that is not sent keeps its length, also from a sender that stops its clock meanwhile', () => {
  for (const stopsItsClock of [false, true]) {
    const { tape, recording, frames } = taping();
    play(
      tape,
      {
        a: {
          frames: 60,
          // Three talks of 20 frames with a silence of 600 ms between them.
          arrives: (index) => index * 20 + Math.floor(index / 20) * 600,
          timestamp: (index) => index * 160 + (stopsItsClock ? 0 : Math.floor(index / 20) * 4_800),
          sound: () => toneOf(1_000, 20),
        },
      },
      3_000,
    );
    expect(frames()).toBe(24_000);
    const { right } = sidesOf(recording());
    for (const talk of [0, 1, 2]) {
      const from = talk * 8_000;
      // From a clock that stopped the first packets are spent on finding out.
      expect(levelOf(1_000, right.subarray(from + 800, from + 3_200))).toBeGreaterThan(0.9);
      expect(levelOf(1_000, right.subarray(from + 3_600, from + 7_900))).toBeLessThan(0.02);
    }
  }
});

test('[RTP28] a sender that begins anew, or leaps, is laid at the clock again', () => {
  const { tape, recording } = taping();
  play(
    tape,
    {
      a: {
        frames: 100,
        arrives: (index) => index * 20,
        timestamp: (index) => index * 160 + (index < 50 ? 0 : 1_000_000_000),
        sound: (index) => (index === 10 || index === 60 ? BEEP : QUIET),
      },
    },
    2_000,
  );
  expect(beepsOf(sidesOf(recording()).right).map((at) => Math.round(at / 20))).toEqual([10, 60]);
});

test('[RTP29] a main thread that takes nothing costs a bounded store, and the recording keeps its length', () => {
  const { tape, frames, sent, missing } = taping({ keeps: false, takes: false });
  play(tape, {}, 120_000);
  expect(sent()).toBeLessThanOrEqual(2 * 20 * 8_000);
  expect(missing()).toBeGreaterThan(0);
  expect(frames()).toBe(960_000);
});

test('[RTP30] a thread that stood still for seconds lays nothing over what is not read yet', () => {
  const { tape, recording, frames } = taping();
  tape.heard('a', { feed: 1, timestamp: 0, sound: BEEP, law: 8 }, 0);
  tape.heard('a', { feed: 1, timestamp: 40_000, sound: BEEP, law: 8 }, 5_000);
  tape.finish(6_000);
  expect(frames()).toBe(48_000);
  expect(beepsOf(sidesOf(recording()).right).map((at) => Math.round(at / 10))).toEqual([0, 500]);
});
