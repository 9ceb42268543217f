import type { PhoneCallTape } from '@teleconsult/server/telephony/ports';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { startMedia, startPhoneCall } from './phone-call.ts';
import { msOf, sidesOf, toneOf } from './telephone.ts';

function tapeOf(): { tape: PhoneCallTape; pieces: Uint8Array[]; recording: () => Buffer } {
  const pieces: Uint8Array[] = [];
  const tape: PhoneCallTape = {
    append: (samples) => void pieces.push(samples),
    close: async () => undefined,
  };
  return { tape, pieces, recording: () => Buffer.concat(pieces) };
}

test('[RTP37] both are on the recording, each on its side, as long as the clock, in pieces of a fraction of a second', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media, { b: { codec: 0 } });
  const { tape, pieces, recording } = tapeOf();
  await call.session.statistics();
  const startedAt = performance.now();
  call.session.record(tape);
  await Promise.all([
    call.a.tone(call.to.a, { frequency: 440, frames: 100, everyMs: 20 }),
    call.b.tone(call.to.b, { frequency: 1_000, frames: 100, everyMs: 20, law: 0 }),
  ]);
  call.session.record(null);
  await call.session.statistics();
  const tookMs = performance.now() - startedAt;
  const length = recording().length / 2 / 8;
  // What the commands took on their way lies between.
  expect(length).toBeGreaterThan(1_900);
  expect(length).toBeLessThanOrEqual(tookMs + 20);
  const { left, right } = sidesOf(recording());
  expect(msOf(440, left)).toBeGreaterThan(600);
  expect(msOf(1_000, left)).toBe(0);
  expect(msOf(1_000, right)).toBeGreaterThan(600);
  expect(msOf(440, right)).toBe(0);
  expect(pieces.length).toBeGreaterThan(5);
  // Nothing more comes.
  const count = pieces.length;
  await call.a.tone(call.to.a, { frequency: 440, frames: 20, everyMs: 20 });
  await call.session.statistics();
  expect(pieces).toHaveLength(count);
});

test('[RTP38] the spoken notice is on the recording for the ear it was said to, and what that ear missed is not', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media);
  const { tape, recording } = tapeOf();
  call.session.record(tape);
  const said = call.session.say('a', toneOf(700, 800));
  await eventually('it is being said', () => call.a.arrived.length > 0);
  await call.b.tone(call.to.b, { frequency: 1_000, frames: 30, everyMs: 5 });
  await said;
  call.session.close();
  await call.session.statistics();
  const { left, right } = sidesOf(recording());
  expect(msOf(700, right)).toBeGreaterThan(600);
  expect(msOf(1_000, right)).toBe(0);
  expect(msOf(700, left)).toBe(0);
});

test('[RTP39] what nobody heard is not recorded: talk while held, and before the two were connected', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media);
  const { tape, recording } = tapeOf();
  call.session.bridge(false);
  call.session.record(tape);
  await call.session.statistics();
  await call.a.tone(call.to.a, { frequency: 440, frames: 20 });
  await call.taken({ a: 20 });
  call.session.bridge(true);
  call.session.setRemote('b', call.b.remote({ direction: 'none' }));
  await call.session.statistics();
  await call.a.tone(call.to.a, { frequency: 440, frames: 20 });
  await call.b.tone(call.to.b, { frequency: 1_000, frames: 20 });
  await call.taken({ a: 40, b: 20 });
  call.session.record(null);
  await call.session.statistics();
  const { left, right } = sidesOf(recording());
  expect(left.length).toBeGreaterThan(0);
  for (const side of [left, right]) expect(new Set(side)).toEqual(new Set([0xd5]));
});

test('[RTP40] a tape that refuses sound is told of once, and the call goes on', async () => {
  await using running = await startMedia();
  let failures = 0;
  await using call = await startPhoneCall(running.media, { onTapeFailed: () => void (failures += 1) });
  let appended = 0;
  call.session.record({
    append() {
      appended += 1;
      throw new Error('no room');
    },
    close: async () => undefined,
  });
  await eventually('it is told', () => failures === 1);
  await call.a.tone(call.to.a, { frequency: 440, frames: 5 });
  await eventually('the call goes on', () => call.b.arrived.length === 5);
  // Another one takes what is said from now on.
  const { tape, pieces } = tapeOf();
  call.session.record(tape);
  await eventually('it is recorded again', () => pieces.length > 1);
  expect([failures, appended]).toEqual([1, 1]);
});

test('[RTP41] from one tape to the next no sound falls between', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media);
  const first = tapeOf();
  const second = tapeOf();
  const startedAt = performance.now();
  call.session.record(first.tape);
  await call.session.statistics();
  await call.a.tone(call.to.a, { frequency: 440, frames: 20, everyMs: 20 });
  call.session.record(second.tape);
  await call.a.tone(call.to.a, { frequency: 440, frames: 20, everyMs: 20 });
  call.session.close();
  await call.session.statistics();
  const tookMs = performance.now() - startedAt;
  const together = (first.recording().length + second.recording().length) / 16;
  expect(second.recording().length).toBeGreaterThan(0);
  expect(together).toBeGreaterThan(750);
  expect(together).toBeLessThanOrEqual(tookMs + 20);
  const { left } = sidesOf(Buffer.concat([first.recording(), second.recording()]));
  expect(msOf(440, left)).toBeGreaterThan(500);
});
