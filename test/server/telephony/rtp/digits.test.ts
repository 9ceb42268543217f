import { DigitReader } from '@teleconsult/server/telephony/rtp/digit-reader';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { startMedia, startPhoneCall } from './phone-call.ts';

const packet = (code: number, duration: number, ended = false) => ({ code, ended, volume: 10, duration });

function reading() {
  const digits: string[] = [];
  return { digits, reader: new DigitReader((digit) => void digits.push(digit)) };
}

test('[RTP20] a digit is told once, however often its packets and its end are repeated, and in whatever order', () => {
  const { digits, reader } = reading();
  for (let index = 1; index <= 5; index += 1) reader.handle(packet(1, 160 * index), 1_000, 20 * index);
  for (let index = 0; index < 3; index += 1) reader.handle(packet(1, 800, true), 1_000, 120 + index);
  // One that was overtaken by its end.
  reader.handle(packet(1, 640), 1_000, 124);
  reader.handle(packet(11, 160, true), 3_000, 300);
  // An end of the first that comes after the second.
  reader.handle(packet(1, 800, true), 1_000, 310);
  expect(digits).toEqual(['1', '#']);
});

test('[RTP21] a digit whose end is lost is told when the next begins, or after a while; a long one is one', () => {
  const { digits, reader } = reading();
  reader.handle(packet(2, 160), 1_000, 0);
  reader.handle(packet(2, 160), 5_000, 400);
  expect(digits).toEqual(['2']);
  reader.tick(500);
  expect(digits).toEqual(['2']);
  reader.tick(600);
  expect(digits).toEqual(['2', '2']);
  reader.handle(packet(3, 0xffff), 10_000, 9_000);
  reader.handle(packet(3, 160), 10_000 + 0xffff, 9_020);
  reader.handle(packet(3, 320, true), 10_000 + 0xffff, 9_040);
  expect(digits).toEqual(['2', '2', '3']);
});

test('[RTP22] nobody presses keys faster than a telephone can', () => {
  const { digits, reader } = reading();
  for (let index = 0; index < 1_000; index += 1)
    reader.handle(packet(index % 16, 160, true), index * 8, index);
  expect(digits.length).toBeLessThanOrEqual(25);
});

test('[RTP23] a digit goes to the other telephone under its own payload type, and is told of its leg', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media, { b: { telephoneEvent: 96 } });
  await call.a.tone(call.to.a, { frequency: 440, frames: 2 });
  const { timestamp } = call.a.numbers;
  const press = (duration: number, ended: boolean): void =>
    call.a.frame(call.to.a, {
      payloadType: 101,
      timestamp,
      payload: Buffer.from([7, (ended ? 0x80 : 0) | 0x40 | 10, duration >> 8, duration & 0xff]),
    });
  for (const duration of [160, 320, 480]) press(duration, false);
  for (let index = 0; index < 3; index += 1) press(640, true);
  await eventually('the digit has gone through', () => call.b.arrived.length === 8, {
    lastSeen: () => call.b.arrived.length,
  });
  const events = call.b.arrived.slice(2);
  expect(new Set(events.map(({ packet: { payloadType } }) => payloadType))).toEqual(new Set([96]));
  expect(new Set(events.map(({ packet: { timestamp: at } }) => at)).size).toBe(1);
  expect(events.map(({ packet: { payload } }) => Buffer.from(payload).toString('hex'))).toEqual([
    '070a00a0',
    '070a0140',
    '070a01e0',
    '078a0280',
    '078a0280',
    '078a0280',
  ]);
  await eventually('the digit is told', () => call.events.some(({ type }) => type === 'digit'));
  expect(call.events.filter(({ type }) => type === 'digit')).toEqual([
    { type: 'digit', leg: 'a', digit: '7' },
  ]);
});

test('[RTP24] a telephone without digits hears the call go on without them', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media, { b: { telephoneEvent: null } });
  await call.a.tone(call.to.a, { frequency: 440, frames: 2 });
  call.a.frame(call.to.a, { payloadType: 101, payload: Buffer.from([7, 0x8a, 0, 160]) });
  await call.a.tone(call.to.a, { frequency: 440, frames: 2 });
  await eventually('the sound has come', () => call.b.arrived.length === 4);
  await eventually('the digit is told', () => call.events.some(({ type }) => type === 'digit'));
  expect(new Set(call.b.arrived.map(({ packet: { payloadType } }) => payloadType))).toEqual(new Set([8]));
});
