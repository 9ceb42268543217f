/**
 * What leaves to a leg: one SSRC for the whole call, with sequence and time stamps that never jump, whoever feeds it: the
 * other leg before and after a re-INVITE, an announcement, the other leg again.
 */
import { randomInt } from 'node:crypto';
import { SAMPLE_RATE, SAMPLES_PER_MS } from './g711.ts';

/** Time stamps of a feed that leave the clock by more than this have been set anew by its sender. */
const MOST_SAMPLES_OFF = SAMPLE_RATE;

/** One packet of whatever feeds the stream. */
export interface Fed {
  /** Another number is another feed. */
  readonly feed: number;
  readonly sequence: number;
  readonly timestamp: number;
  /** How long it sounds; 0 for events. */
  readonly samples: number;
}

export interface Placed {
  readonly sequence: number;
  readonly timestamp: number;
  /** A new feed begins, or goes on after a pause. */
  readonly isFirst: boolean;
}

export class OutgoingStream {
  readonly ssrc: number;
  #feed: number | null = null;
  #sequenceOffset = 0;
  #timestampOffset = 0;
  /** The first of the running feed; an older one of it would take a number that was used. */
  #feedFirst = 0;
  /** Not taken modulo 2^16, so that older and newer are plain comparisons. */
  #highest = randomInt(0x10000);
  #timestamp = randomInt(0x100000000);
  #span = 0;
  #sentAt: number | null = null;

  constructor(ssrc: number) {
    this.ssrc = ssrc;
  }

  /** The numbers a packet leaves with; null when it is too old to be sent. `now` in milliseconds. */
  place(fed: Fed, now: number): Placed | null {
    if (fed.feed !== this.#feed) return this.#begin(fed, now);
    const ahead = signed16(fed.sequence + this.#sequenceOffset - this.#highest);
    const position = this.#highest + ahead;
    if (position < this.#feedFirst) return null;
    const timestamp = (fed.timestamp + this.#timestampOffset) >>> 0;
    if (ahead > 0) {
      const moved = (timestamp - this.#timestamp) | 0;
      if (moved < -MOST_SAMPLES_OFF || moved > this.#elapsed(now) + MOST_SAMPLES_OFF)
        return this.#begin(fed, now);
      this.#advance(position, timestamp, fed.samples, now);
    }
    return { sequence: position & 0xffff, timestamp, isFirst: false };
  }

  /** Something of the feed is not sent. What follows continues the numbers as if it had not been there. */
  pause(): void {
    this.#feed = null;
  }

  #begin(fed: Fed, now: number): Placed {
    const position = this.#highest + 1;
    const timestamp = (this.#timestamp + Math.max(this.#span, this.#elapsed(now))) >>> 0;
    this.#feed = fed.feed;
    this.#feedFirst = position;
    this.#sequenceOffset = position - fed.sequence;
    this.#timestampOffset = timestamp - fed.timestamp;
    this.#advance(position, timestamp, fed.samples, now);
    return { sequence: position & 0xffff, timestamp, isFirst: true };
  }

  #advance(position: number, timestamp: number, samples: number, now: number): void {
    this.#highest = position;
    this.#timestamp = timestamp;
    this.#span = samples;
    this.#sentAt = now;
  }

  #elapsed(now: number): number {
    return this.#sentAt === null ? 0 : Math.max(0, Math.round((now - this.#sentAt) * SAMPLES_PER_MS));
  }
}

const signed16 = (value: number): number => (value << 16) >> 16;
