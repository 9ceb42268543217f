import {
  A_LAW_SAMPLES,
  copySound,
  MU_LAW_SAMPLES,
  toALaw,
  toMuLaw,
} from '@teleconsult/server/telephony/rtp/g711';
import { IncomingStream } from '@teleconsult/server/telephony/rtp/incoming-stream';
import { OutgoingStream } from '@teleconsult/server/telephony/rtp/outgoing-stream';
import { PacketBudget } from '@teleconsult/server/telephony/rtp/packet-budget';
import { PortPairs } from '@teleconsult/server/telephony/rtp/port-pairs';
import { readRtp } from '@teleconsult/server/telephony/rtp/rtp-packet';
import { SourceGate } from '@teleconsult/server/telephony/rtp/source-gate';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rtp } from './telephone.ts';

test('[RTP13] whatever bytes arrive are read or refused, never beyond their end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const read = readRtp(Buffer.from(bytes));
      if (read !== null) {
        expect(bytes[0]).toBeDefined();
        expect(read.payload.length).toBeGreaterThan(0);
        expect(read.payload.length).toBeLessThanOrEqual(bytes.length - 12);
      }
    }),
    { numRuns: 3_000 },
  );
  const whole = rtp({
    sequence: 1,
    timestamp: 2,
    ssrc: 3,
    payload: Buffer.from('sound'),
    trimmings: Buffer.from('1234'),
  });
  expect(Buffer.from(readRtp(whole)?.payload ?? []).toString()).toBe('sound');
  // Cut anywhere it is another packet or none, but for the padding, whose length is its last byte.
  for (let length = 0; length < whole.length - 8; length += 1) {
    const cut = readRtp(whole.subarray(0, length));
    if (cut !== null) expect(cut.payload.length).toBeLessThan(whole.length);
  }
  const refused = [
    rtp({ sequence: 1, timestamp: 2, ssrc: 3, payload: new Uint8Array(0) }),
    rtp({ sequence: 1, timestamp: 2, ssrc: 3, payload: new Uint8Array(1_489) }),
    Buffer.concat([Buffer.from([0x40]), whole.subarray(1)]),
    Buffer.concat([Buffer.from([0x9f, 8]), Buffer.alloc(40)]),
    Buffer.concat([Buffer.from([0x90, 8]), Buffer.alloc(12), Buffer.from([0xff, 0xff]), Buffer.alloc(20)]),
    Buffer.concat([Buffer.from([0xa0, 8]), Buffer.alloc(30), Buffer.from([200])]),
    Buffer.concat([Buffer.from([0xa0, 8]), Buffer.alloc(30), Buffer.from([0])]),
  ];
  for (const packet of refused) expect(readRtp(packet)).toBeNull();
});

test('[RTP14] losses are counted over the end of the numbers, over new streams and restarts, and never below nothing', () => {
  const stream = new IncomingStream();
  for (const sequence of [65_534, 65_535, 1, 2]) expect(stream.accept(7, sequence)).toBe(1);
  expect(stream.lost).toBe(1);
  expect(stream.accept(7, 0)).toBe(1);
  expect(stream.lost).toBe(0);
  expect(stream.accept(7, 0)).toBeNull();
  // Before its first: of another life of the sender.
  expect(stream.accept(7, 65_500)).toBeNull();
  expect(stream.accept(8, 10)).toBe(2);
  expect(stream.accept(8, 12)).toBe(2);
  expect(stream.lost).toBe(1);
  // One that jumps is not believed, two are.
  expect(stream.accept(8, 40_000)).toBeNull();
  expect(stream.accept(8, 40_001)).toBe(3);
  expect(stream.lost).toBe(1);
});

test('[RTP15] whoever feeds it, what leaves has numbers that go on by one and time stamps that go on with the clock', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          feed: fc.integer({ min: 1, max: 3 }),
          sequence: fc.nat(0xffff),
          timestamp: fc.nat(0xffffffff),
          count: fc.integer({ min: 1, max: 5 }),
          pauseMs: fc.nat(3_000),
        }),
        { minLength: 1, maxLength: 10 },
      ),
      (stretches) => {
        const stream = new OutgoingStream(1);
        let now = 0;
        let before: { sequence: number; timestamp: number; now: number } | null = null;
        let feed = 0;
        for (const stretch of stretches) {
          now += stretch.pauseMs;
          feed += stretch.feed;
          for (let index = 0; index < stretch.count; index += 1) {
            const fed = {
              feed,
              sequence: (stretch.sequence + index) & 0xffff,
              timestamp: (stretch.timestamp + 160 * index) >>> 0,
              samples: 160,
            };
            const placed = stream.place(fed, now);
            expect(placed).not.toBeNull();
            if (placed === null) return;
            if (before !== null) {
              expect((placed.sequence - before.sequence) & 0xffff).toBe(1);
              const moved = (placed.timestamp - before.timestamp) | 0;
              expect(moved).toBe(Math.max(160, (now - before.now) * 8));
            }
            before = { ...placed, now };
            now += 20;
          }
        }
      },
    ),
  );
});

test('[RTP16] what is older than its feed is not sent under a number that was used', () => {
  const stream = new OutgoingStream(1);
  const feed = (sequence: number) =>
    stream.place({ feed: 1, sequence, timestamp: sequence * 160, samples: 160 }, 0);
  expect(feed(100)).toMatchObject({ isFirst: true });
  expect(feed(99)).toBeNull();
  expect(feed(102)).toMatchObject({ isFirst: false });
  expect(feed(101)).toMatchObject({ isFirst: false });
  stream.pause();
  expect(feed(103)).toMatchObject({ isFirst: true });
  expect(feed(102)).toBeNull();
});

test('[RTP17] a signalled leg hears its host alone; the port moves to the signalled one, or when the held one is silent', () => {
  const gate = new SourceGate('signalled', 5_000);
  expect(gate.accepts('10.0.0.1', 4_000, 0)).toBe(false);
  gate.signal({ host: '10.0.0.1', port: 4_000 }, 0);
  expect(gate.destination).toEqual({ host: '10.0.0.1', port: 4_000 });
  expect(gate.accepts('10.0.0.2', 4_000, 1)).toBe(false);
  expect(gate.accepts('10.0.0.1', 5_000, 2)).toBe(true);
  expect(gate.destination).toEqual({ host: '10.0.0.1', port: 5_000 });
  expect(gate.accepts('10.0.0.1', 5_001, 3)).toBe(false);
  expect(gate.accepts('10.0.0.1', 4_000, 4)).toBe(true);
  expect(gate.accepts('10.0.0.1', 5_000, 5)).toBe(false);
  expect(gate.accepts('10.0.0.1', 5_000, 2_100)).toBe(true);
  // Said again it is held; said anew it is not.
  gate.signal({ host: '10.0.0.1', port: 4_000 }, 2_200);
  expect(gate.destination?.port).toBe(5_000);
  gate.signal({ host: '10.0.0.3', port: 4_000 }, 2_300);
  expect(gate.accepts('10.0.0.1', 5_000, 2_301)).toBe(false);
  expect(gate.accepts('10.0.0.3', 4_000, 2_302)).toBe(true);
});

test('[RTP18] a leg behind NAT believes the first who speaks for some seconds, the signalled one over others, and nobody new later', () => {
  const gate = new SourceGate('first', 5_000);
  gate.signal({ host: '192.168.1.2', port: 4_000 }, 0);
  expect(gate.accepts('203.0.113.9', 6_000, 100)).toBe(true);
  expect(gate.accepts('203.0.113.66', 6_000, 200)).toBe(false);
  expect(gate.accepts('192.168.1.2', 4_000, 300)).toBe(true);
  expect(gate.accepts('203.0.113.9', 6_000, 400)).toBe(false);

  const late = new SourceGate('first', 5_000);
  late.signal({ host: '192.168.1.2', port: 4_000 }, 0);
  expect(late.accepts('203.0.113.9', 6_000, 5_001)).toBe(false);
  late.signal({ host: '192.168.1.2', port: 4_000 }, 6_000);
  expect(late.accepts('203.0.113.9', 6_000, 6_001)).toBe(true);
  // However long it is silent, another host gets nothing; its own may come from another port.
  expect(late.accepts('203.0.113.66', 6_000, 60_000)).toBe(false);
  expect(late.accepts('192.168.1.2', 4_000, 60_000)).toBe(false);
  expect(late.accepts('203.0.113.9', 6_001, 60_001)).toBe(true);
});

test('[RTP19] ports are even, lent once, in no order, and rest after a call', () => {
  const pairs = new PortPairs({ from: 40_001, to: 40_100 }, 1_000);
  const lent = Array.from({ length: 49 }, () => Number(pairs.lend(0)));
  expect(new Set(lent).size).toBe(49);
  for (const port of lent) {
    expect(port % 2).toBe(0);
    expect(port).toBeGreaterThan(40_000);
    expect(port + 1).toBeLessThanOrEqual(40_100);
  }
  expect(lent).not.toEqual(lent.toSorted((one, other) => one - other));
  expect(pairs.lend(0)).toBeNull();
  const [port = 0] = lent;
  pairs.giveBack(port, 10);
  pairs.giveBack(port, 10);
  expect(pairs.lend(1_009)).toBeNull();
  expect(pairs.lend(1_010)).toBe(port);
  expect(pairs.lend(5_000)).toBeNull();
  expect(() => new PortPairs({ from: 40_000, to: 40_002 }, 0)).toThrow(RangeError);
  expect(() => new PortPairs({ from: 40_000, to: 70_000 }, 0)).toThrow(RangeError);
});

test('[RTP48] a telephone that floods is let in no faster than a telephone can send', () => {
  const budget = new PacketBudget();
  let taken = 0;
  for (let now = 0; now < 10_000; now += 0.1) if (budget.take(now)) taken += 1;
  expect(taken).toBeGreaterThan(2_000);
  expect(taken).toBeLessThanOrEqual(2_400);
  const decent = new PacketBudget();
  for (let now = 0; now < 10_000; now += 10) expect(decent.take(now)).toBe(true);
});

test('[RTP50] every step of both laws comes back as itself, and going into the other law and back costs no more than its step', () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  for (const byte of all) {
    expect(toALaw(A_LAW_SAMPLES[byte] ?? 0)).toBe(byte);
    // There are two zeros, and one is enough.
    expect(toMuLaw(MU_LAW_SAMPLES[byte] ?? 0)).toBe(byte === 0x7f ? 0xff : byte);
  }
  expect([A_LAW_SAMPLES[0xaa], A_LAW_SAMPLES[0x2a], MU_LAW_SAMPLES[0x80], MU_LAW_SAMPLES[0]]).toEqual([
    32_256, -32_256, 32_124, -32_124,
  ]);
  const there = new Uint8Array(256);
  const back = new Uint8Array(256);
  copySound(all, { from: 8, to: 0, target: there, at: 0 });
  copySound(there, { from: 0, to: 8, target: back, at: 0 });
  for (const byte of all) {
    const was = A_LAW_SAMPLES[byte] ?? 0;
    const is = A_LAW_SAMPLES[back[byte] ?? 0] ?? 0;
    expect(Math.abs(is - was)).toBeLessThanOrEqual(Math.max(16, Math.abs(was) / 16));
    expect(Math.sign(is)).toBe(Math.sign(was));
  }
});
