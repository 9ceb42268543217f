/** The sound of one telephone on its way into a room, without sockets. */
import { describe, expect, test } from 'vitest';
import { decodeG711, encodeG711 } from '../../media/phone-mixer/g711.ts';
import { PhoneSound } from '../../media/phone-mixer/phone-sound.ts';
import { readRtp, writeRtp } from '../../media/phone-mixer/rtp-packet.ts';
import { levelAt } from './phone-tones.ts';

describe('the sound of a phone', () => {
  const packet = (sequence: number, timestamp: number, changes = {}) =>
    writeRtp({
      payloadType: 8,
      marker: false,
      sequence: sequence & 0xffff,
      timestamp: timestamp >>> 0,
      ssrc: 7,
      payload: new Uint8Array(160),
      ...changes,
    });

  test('[PHS16] losses and disorder stay what they are, with numbers of ours', () => {
    const sound = new PhoneSound(8, 7);
    const order = [65_534, 65_535, 0, 3, 2, 4];
    const out = order.map((sequence) => {
      const number = sequence > 60_000 ? sequence - 65_536 : sequence;
      return readRtp(sound.pass(packet(sequence, number * 160 + 500), number * 20) ?? new Uint8Array());
    });
    const [first] = out;
    expect(out.map((one) => ((one?.sequence ?? 0) - (first?.sequence ?? 0)) & 0xffff)).toEqual([
      0, 1, 2, 5, 4, 6,
    ]);
    expect(out.map((one) => ((one?.timestamp ?? 0) - (first?.timestamp ?? 0)) >>> 0)).toEqual([
      0, 160, 320, 800, 640, 960,
    ]);
    expect(new Set(out.map((one) => one?.ssrc))).toEqual(new Set([sound.ssrc]));
    expect(sound.ssrc).not.toBe(7);
  });

  test('[PHS16] a leg that counts anew goes on behind what was said, as much later as it came', () => {
    const sound = new PhoneSound(8, 7);
    const pass = (sequence: number, timestamp: number, now: number) =>
      readRtp(sound.pass(packet(sequence, timestamp), now) ?? new Uint8Array());
    pass(100, 16_000, 0);
    const last = pass(101, 16_160, 20);
    const next = pass(40_000, 3_000_000_000, 1_020);
    expect(((next?.sequence ?? 0) - (last?.sequence ?? 0)) & 0xffff).toBe(1);
    expect(((next?.timestamp ?? 0) - (last?.timestamp ?? 0)) >>> 0).toBe(8_000);
    expect(next?.marker).toBe(true);
  });

  test('[PHS16] what is not in the codec of the room is changed into it, and what is no sound is dropped', () => {
    const sound = new PhoneSound(8, 7);
    const samples = Int16Array.from({ length: 160 }, (_, index) =>
      Math.round(12_000 * Math.sin((2 * Math.PI * 500 * index) / 8_000)),
    );
    const payload = new Uint8Array(160);
    encodeG711(0, samples, payload);
    const passed = readRtp(sound.pass(packet(1, 160, { payloadType: 0, payload }), 0) ?? new Uint8Array());
    expect(passed?.payloadType).toBe(8);
    const decoded = new Int16Array(160);
    decodeG711(8, passed?.payload ?? new Uint8Array(), decoded);
    expect(levelAt(decoded, 500)).toBeCloseTo(levelAt(samples, 500), 1);
    for (const bad of [
      packet(2, 320, { payloadType: 101 }),
      packet(2, 320, { ssrc: 8 }),
      packet(2, 320, { payload: new Uint8Array(961) }),
      new Uint8Array(5),
    ])
      expect(sound.pass(bad, 20)).toBeNull();
    expect(sound.dropped).toBe(4);
  });
});
