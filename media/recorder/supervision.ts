/** What is noticed of a recording process from outside, as a pure object: facts and moments in, verdicts out. */

/** How often a segment is looked at: often enough that a process that stands still is noticed within 3 s. */
export const LOOK_INTERVAL_MS = 250;

/** So long packets may go in without a byte coming out. */
export const STALL_MS = 2_000;

/** A picture nobody can begin with may be the reason for no bytes: then a key frame is asked for, so often. */
const KEY_FRAME_AGAIN_MS = 1_000;

/** Copying a stream takes one percent of a core. What takes this much of it, this long, has lost its way. */
const RUNAWAY_SHARE = 0.8;
const RUNAWAY_MS = 20_000;

export interface Look {
  /** Milliseconds of a monotonic clock. */
  readonly at: number;
  /** Packets that went in so far; null when nobody asked, since bytes came or the track is muted. */
  readonly packets: number | null;
  /** Bytes that came out so far. */
  readonly bytes: number;
  /** Milliseconds of processor used so far; null when unknown or not asked. */
  readonly processorMs: number | null;
}

export type Verdict = 'well' | 'needs_key_frame' | 'stalled';

export class Supervision {
  readonly #kind: 'audio' | 'video';
  #last: Look;
  /** For how long packets have gone in and nothing has come out. */
  #hungryMs = 0;
  #keyFrameAskedAt: number;
  /** Since when it has used more of the processor than it can have a use for, and what it had used then. */
  #busySince: { readonly at: number; readonly processorMs: number } | null = null;

  /** `start` is the moment at which the track was let flow, with a key frame asked for. */
  constructor(kind: 'audio' | 'video', start: number) {
    this.#kind = kind;
    this.#last = { at: start, packets: null, bytes: 0, processorMs: null };
    this.#keyFrameAskedAt = start;
  }

  look(now: Look): Verdict {
    const last = this.#last;
    this.#last = now;
    if (now.bytes > last.bytes) this.#hungryMs = 0;
    // Without packets nothing is to be expected: a muted track is well.
    else if (now.packets !== null && last.packets !== null && now.packets > last.packets) {
      this.#hungryMs += now.at - last.at;
    }
    if (this.#hungryMs >= STALL_MS || this.#runsAway(now)) return 'stalled';
    return this.#needsKeyFrame(now) ? 'needs_key_frame' : 'well';
  }

  #needsKeyFrame(now: Look): boolean {
    if (this.#kind !== 'video' || now.at - this.#keyFrameAskedAt < KEY_FRAME_AGAIN_MS) return false;
    if (now.bytes > 0 && this.#hungryMs < KEY_FRAME_AGAIN_MS) return false;
    this.#keyFrameAskedAt = now.at;
    return true;
  }

  #runsAway({ at, processorMs }: Look): boolean {
    if (processorMs === null) return false;
    const since = this.#busySince;
    if (since === null || processorMs - since.processorMs < (at - since.at) * RUNAWAY_SHARE) {
      this.#busySince = { at, processorMs };
      return false;
    }
    return at - since.at >= RUNAWAY_MS;
  }
}
