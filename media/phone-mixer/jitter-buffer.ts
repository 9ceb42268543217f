import { SAMPLE_RATE } from './g711.ts';

/** What is taken at a time: 20 ms. */
export const FRAME_SAMPLES = 160;

/** 512 ms, a power of two so that time stamps can wrap within it. */
const CAPACITY = 4_096;

/** What is waited for before a stream is played: the jitter of most lines. */
const FIRST_DELAY = 3 * FRAME_SAMPLES;

/** A line that jitters more is played with gaps rather than still later: nobody can talk with a quarter of a second between. */
const LONGEST_DELAY = 10 * FRAME_SAMPLES;

/** How long the line must have jittered less before the delay is cut by a frame. Half of it is kept against the next jitter. */
const SHRINK_AFTER_FRAMES = 100;
const SPARE = 2 * FRAME_SAMPLES;

/** After a loss the last sound goes on ever more quietly for so long, then there is silence. */
const CONCEALED_FRAMES = 4;
const CONCEALED_FADE = 0.6;

/** So many packets in a row that come too late are no jitter: the line has become longer for good. */
const LATE_FOR_GOOD = 5;

/** A stream of which nothing came for so long has paused, and begins anew. */
const PAUSED_AFTER_FRAMES = 25;

/** A time stamp that is off by more does not belong to what was before: the sender began anew. */
const JUMP = SAMPLE_RATE;

/**
 * The sound of one sender, put in order and played at our own pace: 20 ms each time it is asked. It takes packets of any
 * length, follows the jitter of the line by playing later, and the drift of the sender's clock by dropping frames.
 */
export class JitterBuffer {
  readonly #samples = new Int16Array(CAPACITY);
  /** 1 where a sample is there. */
  readonly #present = new Uint8Array(CAPACITY);
  readonly #last = new Int16Array(FRAME_SAMPLES);
  #state: 'idle' | 'playing' = 'idle';
  /** The time stamp that is played next. */
  #playAt = 0;
  /** The time stamp after the newest sample. */
  #newest = 0;
  /** Frames that came to nothing since the last one. */
  #missed = 0;
  /** Frames that are to be inserted, because packets came too late. */
  #owed = 0;
  /** Packets in a row that came too late. */
  #lateInARow = 0;
  #delay = FIRST_DELAY;
  /** The least that was waiting within the present window, and how many frames it has. */
  #least = Number.POSITIVE_INFINITY;
  #window = 0;

  /** Samples that wait; for figures and tests. */
  get waiting(): number {
    return this.#state === 'idle' ? 0 : Math.max(0, distance(this.#newest, this.#playAt));
  }

  /** Takes the sound of one packet. False: it came too late to be of use, or is too long. */
  push(timestamp: number, sound: Int16Array): boolean {
    if (sound.length === 0 || sound.length > CAPACITY / 2) return false;
    if (this.#state === 'playing' && Math.abs(distance(timestamp, this.#playAt)) > JUMP) this.#stop();
    if (this.#state === 'idle') this.#start(timestamp);
    const offset = distance(timestamp, this.#playAt);
    if (offset + sound.length <= 0) {
      this.#late();
      if (this.#lateInARow >= LATE_FOR_GOOD) this.#stop();
      return false;
    }
    this.#lateInARow = 0;
    if (offset + sound.length > CAPACITY) {
      // More waits than anybody wants to hear late: what is newest counts.
      this.#stop();
      this.#start(timestamp);
      return this.push(timestamp, sound);
    }
    for (let index = Math.max(0, -offset); index < sound.length; index += 1) {
      const at = (timestamp + index) & (CAPACITY - 1);
      this.#samples[at] = sound[index] ?? 0;
      this.#present[at] = 1;
    }
    const end = (timestamp + sound.length) >>> 0;
    if (distance(end, this.#newest) > 0) this.#newest = end;
    return true;
  }

  /** Writes the next 20 ms. False: there is nothing to be heard. */
  pull(frame: Int16Array): boolean {
    if (this.#state === 'idle') return false;
    if (this.#owed > 0) {
      this.#owed -= 1;
      return this.#conceal(frame);
    }
    this.#follow();
    let found = 0;
    for (let index = 0; index < FRAME_SAMPLES; index += 1) {
      const at = (this.#playAt + index) & (CAPACITY - 1);
      const isThere = this.#present[at] === 1;
      found += isThere ? 1 : 0;
      frame[index] = isThere ? (this.#samples[at] ?? 0) : 0;
      this.#present[at] = 0;
    }
    this.#playAt = (this.#playAt + FRAME_SAMPLES) >>> 0;
    if (found > 0) {
      this.#missed = 0;
      this.#last.set(frame.subarray(0, FRAME_SAMPLES));
      return true;
    }
    this.#missed += 1;
    if (this.#missed > PAUSED_AFTER_FRAMES && this.waiting === 0) this.#stop();
    return this.#conceal(frame);
  }

  #start(timestamp: number): void {
    this.#state = 'playing';
    this.#playAt = (timestamp - this.#delay) >>> 0;
    this.#newest = timestamp;
    // Before the first sound there is nothing that could go on.
    this.#last.fill(0);
    this.#missed = 0;
    this.#owed = 0;
    this.#lateInARow = 0;
    this.#restartWindow();
  }

  #stop(): void {
    this.#state = 'idle';
    this.#present.fill(0);
  }

  #late(): void {
    this.#lateInARow += 1;
    if (this.#delay + FRAME_SAMPLES > LONGEST_DELAY || this.#owed > 0) return;
    this.#delay += FRAME_SAMPLES;
    this.#owed += 1;
    this.#restartWindow();
  }

  /** More waits than the line's jitter asks for, by its jitter or by the sender's faster clock: one frame is left out. */
  #follow(): void {
    this.#least = Math.min(this.#least, this.waiting);
    this.#window += 1;
    if (this.#window < SHRINK_AFTER_FRAMES) return;
    const isTooMuch = this.#least > SPARE && this.#least < Number.POSITIVE_INFINITY;
    this.#restartWindow();
    // A line without late packets for so long: the next one that is late may take time again.
    this.#delay = Math.max(FIRST_DELAY, this.#delay - FRAME_SAMPLES);
    if (!isTooMuch) return;
    for (let index = 0; index < FRAME_SAMPLES; index += 1)
      this.#present[(this.#playAt + index) & (CAPACITY - 1)] = 0;
    this.#playAt = (this.#playAt + FRAME_SAMPLES) >>> 0;
  }

  #restartWindow(): void {
    this.#least = Number.POSITIVE_INFINITY;
    this.#window = 0;
  }

  #conceal(frame: Int16Array): boolean {
    if (this.#missed > CONCEALED_FRAMES) return false;
    let peak = 0;
    for (let index = 0; index < FRAME_SAMPLES; index += 1) {
      const sample = Math.trunc((this.#last[index] ?? 0) * CONCEALED_FADE);
      this.#last[index] = sample;
      frame[index] = sample;
      peak = Math.max(peak, Math.abs(sample));
    }
    return peak > 0;
  }
}

/** From one time stamp to another, the shorter way round: they have 32 bits and begin anywhere (RFC 3550 §5.1). */
function distance(to: number, from: number): number {
  return (to - from) | 0;
}
