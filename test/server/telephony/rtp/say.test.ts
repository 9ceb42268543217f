import { setTimeout as wait } from 'node:timers/promises';
import { Speaker } from '@teleconsult/server/telephony/rtp/speaker';
import { expect, test, vi } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { startMedia, startPhoneCall } from './phone-call.ts';
import { levelOf, soundOf, toneOf } from './telephone.ts';

test('[RTP31] an announcement is heard whole, once, in the law of its ear, with numbers that go on from the talk and into it', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media, { a: { codec: 0 } });
  await call.b.tone(call.to.b, { frequency: 1_000, frames: 5 });
  await eventually('the talk has come', () => call.a.arrived.length === 5);
  await call.session.say('a', toneOf(700, 390));
  await call.b.tone(call.to.b, { frequency: 1_000, frames: 5 });
  await eventually('the talk goes on', () => call.a.arrived.length === 30, {
    lastSeen: () => call.a.arrived.length,
  });
  const said = call.a.arrived.slice(5, 25);
  expect(levelOf(700, soundOf(said).subarray(0, 3_120), 0)).toBeCloseTo(1, 1);
  // The rest of the last packet is silence.
  expect(levelOf(700, soundOf(said).subarray(3_120), 0)).toBeLessThan(0.1);
  expect(call.a.arrived.map(({ packet }) => packet.marker).filter(Boolean)).toHaveLength(3);
  for (const [index, { packet }] of call.a.arrived.entries()) {
    const before = call.a.arrived[index - 1]?.packet;
    if (before === undefined) continue;
    expect((packet.sequence - before.sequence) & 0xffff).toBe(1);
    const moved = packet.timestamp - before.timestamp;
    if (index > 5 && index < 25) expect(moved | 0).toBe(160);
    else expect(moved | 0).toBeGreaterThanOrEqual(160);
  }
  expect(call.b.datagrams).toHaveLength(0);
});

test('[RTP32] what the other says during an announcement is not heard, then or later; its hearer’s words go through', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media);
  const said = call.session.say('a', toneOf(700, 600));
  await eventually('it is being said', () => call.a.arrived.length > 0);
  await call.b.tone(call.to.b, { frequency: 1_000, frames: 10 });
  await call.a.tone(call.to.a, { frequency: 440, frames: 10 });
  await call.taken({ a: 10, b: 10 });
  await said;
  await eventually('the hearer is heard', () => call.b.arrived.length === 10);
  await eventually('it was said', () => call.a.arrived.length === 30);
  expect(levelOf(700, soundOf(call.a.arrived))).toBeCloseTo(1, 1);
  expect(levelOf(1_000, soundOf(call.a.arrived))).toBeLessThan(0.01);
});

test('[RTP33] a stopped announcement ends at once and its promise resolves; the next one is said after it', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media);
  const stopping = new AbortController();
  const first = call.session.say('a', toneOf(700, 20_000), stopping.signal);
  const unheard = call.session.say('a', toneOf(800, 20_000), stopping.signal);
  const second = call.session.say('a', toneOf(900, 100));
  await eventually('the first is heard', () => call.a.arrived.length > 2);
  stopping.abort();
  await Promise.all([first, unheard, second]);
  await call.session.say('a', toneOf(950, 100), AbortSignal.abort());
  await eventually('the second was heard', () => levelOf(900, soundOf(call.a.arrived.slice(-5))) > 0.9);
  expect(levelOf(800, soundOf(call.a.arrived))).toBeLessThan(0.05);
  const count = call.a.arrived.length;
  await call.session.say('b', toneOf(950, 100));
  expect(call.a.arrived.length).toBe(count);
  await expect(call.session.say('a', new Uint8Array(481_000))).rejects.toThrow(RangeError);
});

test('[RTP34] whoever waits for an announcement goes on when the session ends', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media);
  const said = call.session.say('a', toneOf(700, 20_000));
  const waiting = call.session.say('a', toneOf(700, 20_000));
  await eventually('it is being said', () => call.a.arrived.length > 0);
  call.session.close();
  await Promise.all([said, waiting]);
  await call.session.say('a', toneOf(700, 20_000));
});

test('[RTP35] late timers delay single packets, never the announcement; a standstill does not end in a burst', () => {
  vi.useFakeTimers();
  try {
    let now = 0;
    const frames: number[] = [];
    const done: number[] = [];
    const speaker = new Speaker(
      { frame: () => void frames.push(now), done: (id) => void done.push(id) },
      () => now,
    );
    speaker.say(1, toneOf(700, 10_000));
    // Each timer is late by some milliseconds, as on a busy machine.
    for (let step = 0; step < 2_000 && done.length === 0; step += 1) {
      now += 7.3;
      vi.advanceTimersByTime(7.3);
    }
    expect(frames).toHaveLength(500);
    for (const [index, at] of frames.entries()) {
      expect(at - index * 20).toBeGreaterThanOrEqual(0);
      expect(at - index * 20).toBeLessThan(30);
    }
    expect(now).toBeLessThan(10_030);

    frames.length = 0;
    speaker.say(2, toneOf(700, 10_000));
    now += 3_000;
    vi.advanceTimersByTime(3_000);
    expect(frames.length).toBeLessThan(15);
    speaker.close();
    expect(done).toEqual([1, 2]);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('[RTP36] announcements that nobody could listen to are refused, not heaped up', async () => {
  const done: number[] = [];
  const speaker = new Speaker({ frame: () => undefined, done: (id) => void done.push(id) }, () =>
    performance.now(),
  );
  for (let id = 1; id <= 12; id += 1) speaker.say(id, toneOf(700, 1_000));
  expect(done).toEqual([10, 11, 12]);
  speaker.close();
  speaker.close();
  await wait(0);
  expect(done).toHaveLength(12);
});
