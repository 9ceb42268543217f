/** Says announcements to one leg, 20 ms a packet, by the clock: late timers make a packet late, never the announcement long. */
import { A_LAW_SILENCE } from './g711.ts';

export const FRAME_MS = 20;
export const FRAME_SAMPLES = 160;
/** Announcements that wait for their turn at one ear. */
const MOST_WAITING = 8;
/** After a standstill longer than this the rest is said later, not all at once. */
const LONGEST_BURST_MS = 200;

interface Announcement {
  readonly id: number;
  readonly sound: Uint8Array;
}

export interface SpeakerOutput {
  /** A frame of A-law. `feed` differs for each announcement; `index` counts its frames. */
  frame(feed: number, index: number, sound: Uint8Array, now: number): void;
  /** Said to the end, or stopped. */
  done(id: number): void;
}

export class Speaker {
  readonly #output: SpeakerOutput;
  readonly #clock: () => number;
  readonly #waiting: Announcement[] = [];
  #running: { readonly announcement: Announcement; startedAt: number; frames: number } | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Negative: streams that arrive are counted from one upwards. */
  #feed = 0;

  /** `clock` in milliseconds, never set back. */
  constructor(output: SpeakerOutput, clock: () => number) {
    this.#output = output;
    this.#clock = clock;
  }

  get speaks(): boolean {
    return this.#running !== null;
  }

  /** After what is being said. Too many: the newest is not said. */
  say(id: number, sound: Uint8Array): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#output.done(id);
      return;
    }
    this.#waiting.push({ id, sound });
    if (this.#running === null) this.#next(this.#clock());
  }

  /** What is not there is done. */
  stop(id: number): void {
    const index = this.#waiting.findIndex((announcement) => announcement.id === id);
    if (index !== -1) {
      this.#waiting.splice(index, 1);
      this.#output.done(id);
    } else if (this.#running?.announcement.id === id) this.#finish(this.#clock());
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const left = [this.#running?.announcement, ...this.#waiting.splice(0)];
    this.#running = null;
    for (const announcement of left) if (announcement !== undefined) this.#output.done(announcement.id);
  }

  #next(now: number): void {
    const announcement = this.#waiting.shift();
    if (announcement === undefined) return;
    this.#feed -= 1;
    this.#running = { announcement, startedAt: now, frames: 0 };
    // Not at once: it may be stopped together with the one before, and nothing of it is to be heard then.
    this.#timer = setTimeout(() => this.#step(), 0);
  }

  #step(): void {
    const running = this.#running;
    if (running === null) return;
    const now = this.#clock();
    const { sound } = running.announcement;
    const frames = Math.ceil(sound.length / FRAME_SAMPLES);
    const behind = now - (running.startedAt + running.frames * FRAME_MS);
    if (behind > LONGEST_BURST_MS) running.startedAt += behind;
    while (running.frames < frames && running.startedAt + running.frames * FRAME_MS <= now) {
      this.#output.frame(this.#feed, running.frames, frameOf(sound, running.frames), now);
      running.frames += 1;
    }
    const dueAt = running.startedAt + running.frames * FRAME_MS;
    if (running.frames === frames && dueAt <= now) this.#finish(now);
    else this.#timer = setTimeout(() => this.#step(), Math.max(0, dueAt - now));
  }

  #finish(now: number): void {
    const running = this.#running;
    if (running === null) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#running = null;
    this.#output.done(running.announcement.id);
    this.#next(now);
  }
}

function frameOf(sound: Uint8Array, index: number): Uint8Array {
  const part = sound.subarray(index * FRAME_SAMPLES, (index + 1) * FRAME_SAMPLES);
  if (part.length === FRAME_SAMPLES) return part;
  const padded = new Uint8Array(FRAME_SAMPLES).fill(A_LAW_SILENCE);
  padded.set(part);
  return padded;
}
