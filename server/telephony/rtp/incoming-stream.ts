/** What arrives at a leg, as a stream: what is missing, what came twice, and where a new one begins (RFC 3550 appendix A.1). */

/** A packet may be overtaken by so many. */
const MOST_REORDERED = 100;
/** A jump further than this is a stream that began anew, once a second packet says so, too. */
const MOST_LOST_AT_ONCE = 3_000;
const REMEMBERED = 128;

export class IncomingStream {
  /** Rises with each new stream: another SSRC, or the same begun anew. */
  #feed = 0;
  #ssrc: number | null = null;
  #first = 0;
  #highest = 0;
  #received = 0;
  #afterJump: number | null = null;
  #lostBefore = 0;
  readonly #seen = new Int32Array(REMEMBERED).fill(-1);

  /** Lost so far, over all streams. */
  get lost(): number {
    return this.#lostBefore + this.#lostNow();
  }

  /** The number of the stream it belongs to; null: it came twice, too late, or stands alone after a jump. */
  accept(ssrc: number, sequence: number): number | null {
    if (ssrc !== this.#ssrc) return this.#begin(ssrc, sequence);
    const ahead = (sequence - this.#highest) & 0xffff;
    if (ahead === 0) return null;
    if (ahead < MOST_LOST_AT_ONCE) {
      this.#highest += ahead;
      return this.#take(sequence);
    }
    const behind = 0x10000 - ahead;
    if (behind <= MOST_REORDERED) {
      const isOfThisStream = this.#highest - behind >= this.#first;
      return isOfThisStream && this.#seen[sequence % REMEMBERED] !== sequence ? this.#take(sequence) : null;
    }
    if (sequence === this.#afterJump) return this.#begin(ssrc, sequence);
    this.#afterJump = (sequence + 1) & 0xffff;
    return null;
  }

  #begin(ssrc: number, sequence: number): number {
    this.#lostBefore = this.lost;
    this.#ssrc = ssrc;
    this.#first = sequence;
    this.#highest = sequence;
    this.#received = 0;
    this.#seen.fill(-1);
    this.#feed += 1;
    return this.#take(sequence);
  }

  #take(sequence: number): number {
    this.#received += 1;
    this.#afterJump = null;
    this.#seen[sequence % REMEMBERED] = sequence;
    return this.#feed;
  }

  #lostNow(): number {
    return this.#ssrc === null ? 0 : Math.max(0, this.#highest - this.#first + 1 - this.#received);
  }
}
