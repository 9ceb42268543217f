/**
 * The recording of a call as it grows: left is what the callee hears (the caller's voice), right what the caller hears. Where
 * an announcement takes the voice's place for an ear, it does so on the tape, and so the spoken notice is on the recording.
 */
import { A_LAW_SILENCE, SAMPLE_RATE, SAMPLES_PER_MS } from './g711.ts';
import type { G711, LegName } from './ports.ts';
import { MOST_READ_SAMPLES, TapeChannel } from './tape-channel.ts';

/** How late a packet may be and still find its place. */
const JITTER_MS = 60;
const JITTER_SAMPLES = JITTER_MS * SAMPLES_PER_MS;
/** The main thread has not taken so much yet: what follows is counted and becomes silence, for memory is not endless. */
const MOST_BYTES_UNDER_WAY = 2 * 20 * SAMPLE_RATE;

/** A stretch of the recording. `missing` frames of silence come before it: they could not be kept. */
export interface TapeChunk {
  readonly samples: Uint8Array<ArrayBuffer>;
  readonly missing: number;
}

export class StereoTape {
  readonly id: number;
  readonly #startedAt: number;
  readonly #onChunk: (chunk: TapeChunk) => void;
  /** By whose ear it is. */
  readonly #channels: Readonly<Record<LegName, TapeChannel>> = {
    a: new TapeChannel(JITTER_SAMPLES),
    b: new TapeChannel(JITTER_SAMPLES),
  };
  #readTo = 0;
  #bytesUnderWay = 0;
  #missing = 0;

  constructor(id: number, startedAt: number, onChunk: (chunk: TapeChunk) => void) {
    this.id = id;
    this.#startedAt = startedAt;
    this.#onChunk = onChunk;
  }

  /** Something was let through to an ear. `now` in milliseconds, as in `startedAt`. */
  heard(
    by: LegName,
    packet: { feed: number; timestamp: number; sound: Uint8Array; law: G711 },
    now: number,
  ): void {
    const position = this.#position(now);
    // A thread that stood still has not read: it does so first, or new sound would lie over old.
    if (position - this.#readTo > MOST_READ_SAMPLES) this.#readUntil(position - JITTER_SAMPLES);
    this.#channels[by].lay(packet, { now: position, readTo: this.#readTo });
  }

  /** Hands over what can no longer change. */
  tick(now: number): void {
    this.#readUntil(this.#position(now) - JITTER_SAMPLES);
  }

  /** Hands over the rest: the tape is as long as it ran. */
  finish(now: number): void {
    this.#readUntil(this.#position(now));
    if (this.#missing > 0) this.#send(new Uint8Array(0));
  }

  /** The main thread has taken so many bytes. */
  taken(bytes: number): void {
    this.#bytesUnderWay = Math.max(0, this.#bytesUnderWay - bytes);
  }

  #readUntil(end: number): void {
    while (this.#readTo < end) {
      const to = Math.min(end, this.#readTo + MOST_READ_SAMPLES);
      const samples = new Uint8Array(2 * (to - this.#readTo)).fill(A_LAW_SILENCE);
      this.#channels.b.read(this.#readTo, to, samples, 0);
      this.#channels.a.read(this.#readTo, to, samples, 1);
      if (this.#bytesUnderWay + samples.length > MOST_BYTES_UNDER_WAY) this.#missing += to - this.#readTo;
      else this.#send(samples);
      this.#readTo = to;
    }
  }

  #send(samples: Uint8Array<ArrayBuffer>): void {
    this.#bytesUnderWay += samples.length;
    const missing = this.#missing;
    this.#missing = 0;
    this.#onChunk({ samples, missing });
  }

  #position(now: number): number {
    return Math.max(0, Math.round((now - this.#startedAt) * SAMPLES_PER_MS));
  }
}
