/** The parts of the telephones' mixer, without sockets. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeG711, encodeG711, type G711Codec } from '../../media/phone-mixer/g711.ts';
import { FRAME_SAMPLES, JitterBuffer } from '../../media/phone-mixer/jitter-buffer.ts';
import { isVoice, loudnessOf } from '../../media/phone-mixer/loudness.ts';
import { Mix } from '../../media/phone-mixer/mix.ts';
import { RoomSound } from '../../media/phone-mixer/room-sound.ts';
import { readRtp, writeRtp } from '../../media/phone-mixer/rtp-packet.ts';
import { levelAt, peakOf } from './phone-tones.ts';

const CODECS: readonly G711Codec[] = [0, 8];

/** A tone of 500 Hz, by its time stamp: wherever a frame of it is played, it can be told whether it fits. */
const toneAt = (timestamp: number, length = FRAME_SAMPLES): Int16Array =>
  Int16Array.from({ length }, (_, index) =>
    Math.round(12_000 * Math.sin((2 * Math.PI * 500 * (timestamp + index)) / 8_000)),
  );

describe('G.711', () => {
  test('[PHS12] every byte of both codecs comes back from its sample, and every sample is met within its step', () => {
    for (const codec of CODECS) {
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      const samples = new Int16Array(256);
      decodeG711(codec, bytes, samples);
      const again = new Uint8Array(256);
      encodeG711(codec, samples, again);
      // µ-law has two zeros (ITU-T G.711 table 2): they are one sample.
      const wanted = codec === 0 ? bytes.map((byte) => (byte === 0x7f ? 0xff : byte)) : bytes;
      expect(again).toEqual(wanted);
      const all = Int16Array.from({ length: 65_536 }, (_, index) => index - 32_768);
      const coded = new Uint8Array(all.length);
      encodeG711(codec, all, coded);
      const decoded = new Int16Array(all.length);
      decodeG711(codec, coded, decoded);
      const errors = all.map((sample, index) => {
        const off = Math.abs(sample - (decoded[index] ?? 0));
        // Steps grow with the sample: a 32nd of it, and the smallest are 16 (A-law) or 8 apart. The largest are cut.
        return off > Math.abs(sample) / 31 + 16 ? 1 : 0;
      });
      expect(errors.reduce((sum, error) => sum + error, 0)).toBe(0);
    }
    // Silence as the standard writes it, and the ends of the range.
    const told = new Uint8Array(3);
    encodeG711(8, Int16Array.from([0, 32_767, -32_768]), told);
    expect([...told]).toEqual([0xd5, 0xaa, 0x2a]);
    encodeG711(0, Int16Array.from([0, 32_767, -32_768]), told);
    expect([...told]).toEqual([0xff, 0x80, 0x00]);
  });
});

describe('RTP', () => {
  test('[PHS13] what is written is read again, whatever it holds', () => {
    fc.assert(
      fc.property(
        fc.record({
          payloadType: fc.integer({ min: 0, max: 63 }),
          marker: fc.boolean(),
          sequence: fc.nat(0xffff),
          timestamp: fc.nat(0xffff_ffff),
          ssrc: fc.nat(0xffff_ffff),
          payload: fc.uint8Array({ minLength: 1, maxLength: 400 }),
        }),
        fc.boolean(),
        (packet, hasLevel) => {
          const level = hasLevel ? { id: 1, dbov: -20, isVoice: true } : null;
          const read = readRtp(writeRtp(packet, level));
          expect({ ...read, payload: [...(read?.payload ?? [])] }).toEqual({
            ...packet,
            payload: [...packet.payload],
          });
        },
      ),
    );
  });

  test('[PHS13] no datagram makes it throw, and what is none is none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const packet = readRtp(bytes);
        if (packet !== null) expect(packet.payload.byteLength).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
    const rtcp = new Uint8Array(28);
    rtcp.set([0x80, 200, 0, 6]);
    expect(readRtp(rtcp)).toBeNull();
    // Padding that is longer than the packet, and an extension that is not there.
    const padded = writeRtp({
      payloadType: 8,
      marker: false,
      sequence: 1,
      timestamp: 1,
      ssrc: 1,
      payload: new Uint8Array(4).fill(200),
    });
    padded[0] = 0xa0;
    expect(readRtp(padded)).toBeNull();
    padded[0] = 0x90;
    expect(readRtp(padded)).toBeNull();
  });

  test('[PHS13] the loudness is written as RFC 6464 has it', () => {
    const loud = toneAt(0);
    const dbov = loudnessOf(loud);
    // A sine of 12,000 has the energy of 12,000 / √2.
    expect(dbov).toBeCloseTo(20 * Math.log10(12_000 / Math.SQRT2 / 32_768), 0);
    expect(loudnessOf(new Int16Array(160))).toBe(-127);
    expect([isVoice(dbov), isVoice(-60)]).toEqual([true, false]);
    const datagram = writeRtp(
      { payloadType: 8, marker: false, sequence: 1, timestamp: 1, ssrc: 1, payload: new Uint8Array(1) },
      { id: 3, dbov: -11.4, isVoice: true },
    );
    expect([...datagram.subarray(12, 18)]).toEqual([0xbe, 0xde, 0, 1, 0x30, 0x80 | 11]);
  });
});

describe('the jitter buffer', () => {
  const frame = new Int16Array(FRAME_SAMPLES);

  /** Plays a stream whose packets arrive at these moments (in frames of 20 ms) and answers what was heard, frame by frame. */
  function play(
    arrivals: readonly { readonly at: number; readonly timestamp: number; readonly length?: number }[],
    frames: number,
  ) {
    const buffer = new JitterBuffer();
    const heard: (Int16Array | null)[] = [];
    const waiting: number[] = [];
    for (let now = 0; now < frames; now += 1) {
      for (const { at, timestamp, length } of arrivals)
        if (Math.floor(at) === now) buffer.push(timestamp >>> 0, toneAt(timestamp, length));
      heard.push(buffer.pull(frame) ? frame.slice() : null);
      waiting.push(buffer.waiting);
    }
    return { heard, waiting };
  }

  const steady = (count: number, from = 0) =>
    Array.from({ length: count }, (_, index) => ({ at: index, timestamp: from + index * 160 }));
  const loud = (heard: readonly (Int16Array | null)[]) =>
    heard.filter((one) => one !== null && levelAt(one, 500) > 0.3).length;

  test('[PHS14] a steady stream is heard whole after 60 ms, over the end of the time stamps too', () => {
    for (const from of [0, 0xffff_ffff - 1_000]) {
      const { heard } = play(steady(50, from), 53);
      expect(heard.slice(0, 3)).toEqual([null, null, null]);
      expect(loud(heard.slice(3))).toBe(50);
      expect([...(heard[3] ?? [])]).toEqual([...toneAt(from)]);
    }
  });

  test('[PHS14] packets that overtake each other, come twice or are of another length are heard in order', () => {
    const disordered = steady(60).map(({ at, timestamp }, index) => ({
      at: index % 5 === 2 ? at + 2 : at,
      timestamp,
    }));
    const twice = [...disordered, ...disordered.filter((_, index) => index % 7 === 0)];
    expect(loud(play(twice, 63).heard)).toBe(60);
    const long = Array.from({ length: 20 }, (_, index) => ({
      at: index * 3,
      timestamp: index * 480,
      length: 480,
    }));
    expect(loud(play(long, 63).heard)).toBe(60);
    const short = Array.from({ length: 120 }, (_, index) => ({
      at: index / 2,
      timestamp: index * 80,
      length: 80,
    }));
    expect(loud(play(short, 63).heard)).toBe(60);
  });

  test('[PHS14] a lost packet is covered by the sound before it, and a long loss fades to silence', () => {
    const lost = steady(60).filter((_, index) => index !== 20);
    const { heard } = play(lost, 63);
    const covered = heard[23];
    expect(peakOf(covered ?? new Int16Array(1))).toBeGreaterThan(0.1);
    expect(peakOf(covered ?? new Int16Array(1))).toBeLessThan(0.3);
    const gap = play(
      steady(60).filter((_, index) => index < 20 || index >= 40),
      63,
    ).heard;
    expect(gap.slice(30, 42)).toEqual(Array.from({ length: 12 }, () => null));
    expect(loud(gap.slice(43))).toBe(20);
  });

  test('[PHS14] a line that becomes longer is followed, and forgotten again when it is short', () => {
    const buffer = new JitterBuffer();
    let heard = 0;
    const least: number[] = [];
    // Five seconds with up to 140 ms of jitter, then good ones.
    for (let now = 0; now < 1_500; now += 1) {
      const jitter = (index: number) => (index < 250 ? (index * 37) % 8 : 0);
      for (let index = Math.max(0, now - 8); index <= now; index += 1)
        if (index + jitter(index) === now) buffer.push(index * 160, toneAt(index * 160));
      if (buffer.pull(frame) && levelAt(frame, 500) > 0.25) heard += 1;
      if (now > 1_400) least.push(buffer.waiting);
    }
    expect(heard).toBeGreaterThan(1_440);
    // In the end it plays nearly as early as on a good line.
    expect(Math.max(...least)).toBeLessThanOrEqual(3 * FRAME_SAMPLES);
  });

  test('[PHS14] a sender whose clock runs fast or slow is heard for hours without growing late', () => {
    for (const ppm of [-300, 300]) {
      const buffer = new JitterBuffer();
      let sent = 0;
      let heard = 0;
      let longest = 0;
      const frames = 30_000;
      const sound = toneAt(0);
      for (let now = 0; now < frames; now += 1) {
        while (sent < now * (1 + ppm / 1_000_000)) {
          buffer.push((sent * 160) >>> 0, sound);
          sent += 1;
        }
        if (buffer.pull(frame)) heard += 1;
        longest = Math.max(longest, buffer.waiting);
      }
      expect(heard / frames).toBeGreaterThan(0.995);
      expect(longest).toBeLessThanOrEqual(5 * FRAME_SAMPLES);
    }
  });

  test('[PHS14] a stream that jumps or pauses begins anew, wherever it goes on', () => {
    for (const jump of [200_000, -200_000, 5_000, 0x8000_0000]) {
      const after = steady(50).map(({ at, timestamp }) => ({
        at: at + 30,
        timestamp: timestamp + 30 * 160 + jump,
      }));
      const { heard } = play([...steady(30), ...after], 90);
      expect(loud(heard.slice(40))).toBeGreaterThan(35);
    }
    // Later for good by more than is ever waited for: a tenth of a second is lost of it, and no more.
    for (const late of [14, 40]) {
      const moved = [
        ...steady(50),
        ...Array.from({ length: 80 }, (_, index) => ({
          at: 50 + late + index,
          timestamp: (50 + index) * 160,
        })),
      ];
      expect(loud(play(moved, 140 + late).heard.slice(50 + late))).toBeGreaterThanOrEqual(75);
    }
  });

  test('[PHS14] nothing that comes makes it throw or keep more than half a second', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(fc.record({ timestamp: fc.nat(0xffff_ffff), length: fc.nat(1_200) }), fc.constant(null)),
          { maxLength: 200 },
        ),
        (acts) => {
          const buffer = new JitterBuffer();
          for (const act of acts) {
            if (act === null) buffer.pull(frame);
            else buffer.push(act.timestamp, new Int16Array(act.length));
            expect(buffer.waiting).toBeLessThanOrEqual(4_096);
          }
        },
      ),
    );
  });
});

describe('the mix', () => {
  test('[PHS15] voices are added; those that have no room together are all made quieter, without a crackle', () => {
    const mix = new Mix();
    const out = new Int16Array(FRAME_SAMPLES);
    const voice = (hertz: number, amplitude: number, from: number) =>
      Int16Array.from({ length: FRAME_SAMPLES }, (_, index) =>
        Math.round(amplitude * Math.sin((2 * Math.PI * hertz * (from + index)) / 8_000)),
      );
    mix.add(voice(500, 8_000, 0));
    mix.add(voice(1_000, 8_000, 0));
    mix.take(out);
    expect(levelAt(out, 500)).toBeCloseTo(8_000 / 32_768, 1);
    expect(levelAt(out, 1_000)).toBeCloseTo(8_000 / 32_768, 1);
    mix.take(out);
    expect(peakOf(out)).toBe(0);
    let last = 0;
    let step = 0;
    for (let index = 0; index < 50; index += 1) {
      for (const hertz of [500, 500, 500]) mix.add(voice(hertz, 30_000, index * FRAME_SAMPLES));
      mix.take(out);
      expect(peakOf(out)).toBeLessThanOrEqual(32_000 / 32_768);
      for (const sample of out) {
        // In the first frame the loudness has yet to come down.
        if (index > 0) step = Math.max(step, Math.abs(sample - last));
        last = sample;
      }
    }
    // After the first frame it is a whole sine again, a third as loud.
    expect(levelAt(out, 500)).toBeGreaterThan(0.9);
    expect(levelAt(out, 1_500)).toBeLessThan(0.02);
    // No step is larger than those of the sine itself.
    expect(step).toBeLessThan(13_000);
  });

  test('[PHS15] as many voices as a call has are heard, and no more are kept', () => {
    const sound = new RoomSound(8, 3);
    expect([1, 2, 3, 4].map((ssrc) => sound.add(ssrc, 8))).toEqual([true, true, true, false]);
    expect(sound.add(2, 0)).toBe(true);
    expect(sound.voices).toBe(3);
    sound.remove(1);
    sound.remove(1);
    expect(sound.add(4, 8)).toBe(true);
    sound.take(new Uint8Array(3));
    sound.take(
      writeRtp({
        payloadType: 8,
        marker: false,
        sequence: 1,
        timestamp: 1,
        ssrc: 1,
        payload: new Uint8Array(160),
      }),
    );
    // Of a known voice, and in another codec than it has.
    sound.take(
      writeRtp({
        payloadType: 8,
        marker: false,
        sequence: 1,
        timestamp: 1,
        ssrc: 2,
        payload: new Uint8Array(160),
      }),
    );
    expect(sound.dropped).toBe(3);
  });

  test('[PHS15] a thread that stood still goes on with the present: time stamps jump, sequence numbers do not', () => {
    const sound = new RoomSound(8, 1);
    const first = readRtp(sound.next());
    sound.skip(10);
    const second = readRtp(sound.next());
    expect([first?.marker, second?.marker]).toEqual([true, false]);
    expect(((second?.sequence ?? 0) - (first?.sequence ?? 0)) & 0xffff).toBe(1);
    expect(((second?.timestamp ?? 0) - (first?.timestamp ?? 0)) >>> 0).toBe(11 * 160);
  });
});
