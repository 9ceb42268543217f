/**
 * One side of a recording: packets that come unevenly, twice, late or never are laid on the wall clock, so that an hour of
 * talk is an hour of sound.
 *
 * A packet lies where its time stamp says, counted from the quickest packet of the stream. What nobody sent is silence. The
 * sender's clock is not ours: when even the quickest packet of a window has moved, the stream is laid anew from there.
 */
import { A_LAW_SILENCE, copySound, PCMA, SAMPLE_RATE } from './g711.ts';
import type { G711 } from './ports.ts';

/** A power of two; two seconds and a bit. */
const RING_SAMPLES = 16_384;
/** Longest piece of sound of one packet (120 ms). */
const LONGEST_PACKET = 960;
/** Over so much sound the quickest packet is looked for. */
const WINDOW_SAMPLES = 2 * SAMPLE_RATE;
/** A stream may be off by so much before it is laid anew: 10 ms. */
const TOLERATED = SAMPLE_RATE / 100;
/** Further off than this a packet is not late or early: its clock has been set anew. */
const OTHER_CLOCK = SAMPLE_RATE;
/** So many packets in a row that found their place read already: their sender stopped its clock while it was silent. */
const LATE_IN_A_ROW = 3;

export class TapeChannel {
  readonly #ring = new Uint8Array(RING_SAMPLES).fill(A_LAW_SILENCE);
  readonly #delay: number;
  #feed: number | null = null;
  /** Tape position of time stamp `#anchorTimestamp`. */
  #anchor = 0;
  #anchorTimestamp = 0;
  #windowFrom = 0;
  /** How much later than it lies the quickest packet of the window came. */
  #quickest = Number.POSITIVE_INFINITY;
  #lateInRow = 0;

  /** `delay`: how many samples behind the clock the tape is read, so that late packets still find their place. */
  constructor(delay: number) {
    this.#delay = delay;
  }

  /**
   * Lays a packet. `now` and `readTo` are positions on the tape, in samples: the clock's, and the first that was not read.
   */
  lay(
    packet: { feed: number; timestamp: number; sound: Uint8Array; law: G711 },
    { now, readTo }: { now: number; readTo: number },
  ): void {
    const { sound, timestamp } = packet;
    if (sound.length > LONGEST_PACKET) return;
    let at = this.#anchor + ((timestamp - this.#anchorTimestamp) | 0);
    if (packet.feed !== this.#feed || Math.abs(now - at) > OTHER_CLOCK || this.#lateInRow >= LATE_IN_A_ROW) {
      this.#feed = packet.feed;
      at = this.#layAnew(timestamp, now, now);
    } else {
      this.#quickest = Math.min(this.#quickest, now - at);
      // Sound ahead of its time would pile up before the reader, so it is corrected at once; lateness only when it lasts.
      if (now - at < -this.#delay) at = this.#layAnew(timestamp, now, now);
      else if (now - this.#windowFrom >= WINDOW_SAMPLES) {
        const off = Math.abs(this.#quickest) > TOLERATED ? this.#quickest : 0;
        at = this.#layAnew(timestamp, at + off, now);
      }
    }
    this.#write(packet, at, readTo);
  }

  /** Reads and silences one stretch, as every second byte of `target` from `offset` on. */
  read(from: number, to: number, target: Uint8Array, offset: number): void {
    for (let position = from; position < to; position += 1) {
      const slot = position & (RING_SAMPLES - 1);
      target[offset + 2 * (position - from)] = this.#ring[slot] ?? A_LAW_SILENCE;
      this.#ring[slot] = A_LAW_SILENCE;
    }
  }

  #layAnew(timestamp: number, at: number, now: number): number {
    this.#anchor = at;
    this.#anchorTimestamp = timestamp;
    this.#windowFrom = now;
    this.#quickest = Number.POSITIVE_INFINITY;
    this.#lateInRow = 0;
    return at;
  }

  #write({ sound, law }: { sound: Uint8Array; law: G711 }, at: number, readTo: number): void {
    const skipped = Math.max(0, readTo - at);
    if (skipped >= sound.length) {
      this.#lateInRow += 1;
      return;
    }
    this.#lateInRow = 0;
    const rest = skipped === 0 ? sound : sound.subarray(skipped);
    const slot = (at + skipped) & (RING_SAMPLES - 1);
    const untilEnd = Math.min(rest.length, RING_SAMPLES - slot);
    const tables = { from: law, to: PCMA, target: this.#ring } as const;
    copySound(rest.subarray(0, untilEnd), { ...tables, at: slot });
    if (untilEnd < rest.length) copySound(rest.subarray(untilEnd), { ...tables, at: 0 });
  }
}

/** What the tape is read in one go at most, so that the ring always has room. */
export const MOST_READ_SAMPLES = SAMPLE_RATE;
