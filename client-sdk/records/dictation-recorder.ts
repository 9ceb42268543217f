import { AppError } from '@teleconsult/protocol/errors';
import { type LevelMeter, openLevelMeter } from '../device-level.ts';
import type { DictationContentType } from './journal.ts';

export interface RecorderListener {
  /** In order. `endMs`: how long this run is up to the end of this sound. */
  readonly onSound: (sound: Blob, endMs: number) => void;
  readonly onLevel: (level: number) => void;
  /** It ended though nobody asked for it: the microphone went away, or the browser gave up. All sound was handed over. */
  readonly onEnded: (reason: AppError) => void;
}

/** Opus is transparent for speech from about 24 kbit/s on; two hours are 29 MB. */
const BITS_PER_SECOND = 32_000;
/** A killed page loses what the recorder had not handed over: half a second, so that writing it has the other half. */
const SLICE_MS = 500;
/** A browser that does not end its recorder in this time never will: what it has handed over is what there is. */
const STOP_MS = 3_000;
/** Often enough for a meter that follows syllables. */
const LEVEL_MS = 125;

/** One run of the browser's recorder over the microphone: what it writes is one file. */
export class DictationRecorder {
  readonly #stream: MediaStream;
  readonly #recorder: MediaRecorder;
  readonly #listener: RecorderListener;
  readonly #meter: LevelMeter | null;
  readonly #levels: ReturnType<typeof setInterval>;
  readonly #stopped = Promise.withResolvers<void>();
  #ranMs = 0;
  /** Since when it runs; null while it does not. */
  #since: number | null = null;
  #isAsked = false;
  #isOver = false;
  #patience: ReturnType<typeof setTimeout> | null = null;
  #error: AppError | null = null;

  constructor(stream: MediaStream, contentType: DictationContentType, listener: RecorderListener) {
    this.#stream = stream;
    this.#listener = listener;
    this.#recorder = new MediaRecorder(stream, {
      audioBitsPerSecond: BITS_PER_SECOND,
      mimeType: contentType,
    });
    this.#recorder.addEventListener('dataavailable', ({ data }) => {
      if (data.size > 0) listener.onSound(data, this.durationMs);
    });
    this.#recorder.addEventListener('error', (event) => {
      this.#error = new AppError('DEVICE_UNAVAILABLE', { detail: 'the recorder failed', cause: event });
      // A browser that fails stops by itself; one that does not is stopped.
      if (this.#recorder.state !== 'inactive') this.#recorder.stop();
    });
    this.#recorder.addEventListener('stop', () => this.#finish());
    this.#recorder.start(SLICE_MS);
    this.#since = performance.now();
    const [microphone] = stream.getAudioTracks();
    // A dictation without a meter is better than none.
    this.#meter = microphone === undefined ? null : openLevelMeter(microphone);
    this.#levels = setInterval(() => listener.onLevel(this.#level()), LEVEL_MS);
  }

  /** By its own clock: pauses do not count. */
  get durationMs(): number {
    return Math.round(this.#ranMs + (this.#since === null ? 0 : performance.now() - this.#since));
  }

  get isPaused(): boolean {
    return this.#since === null;
  }

  pause(): void {
    if (this.#recorder.state !== 'recording') return;
    this.#recorder.pause();
    // What was said before the pause need not wait for the next slice.
    this.#recorder.requestData();
    this.#hold();
  }

  resume(): void {
    if (this.#recorder.state !== 'paused') return;
    this.#recorder.resume();
    this.#since = performance.now();
  }

  /** Resolves when the last sound was handed over, and the microphone is free. */
  stop(): Promise<void> {
    this.#isAsked = true;
    if (this.#isOver) return this.#stopped.promise;
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
    this.#patience ??= setTimeout(() => this.#finish(), STOP_MS);
    return this.#stopped.promise;
  }

  #hold(): void {
    this.#ranMs = this.durationMs;
    this.#since = null;
  }

  #level(): number {
    return this.isPaused || this.#meter === null ? 0 : this.#meter.read();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#patience !== null) clearTimeout(this.#patience);
    this.#hold();
    clearInterval(this.#levels);
    for (const track of this.#stream.getTracks()) track.stop();
    this.#meter?.close();
    this.#stopped.resolve();
    if (this.#isAsked) return;
    this.#listener.onEnded(
      this.#error ?? new AppError('DEVICE_UNAVAILABLE', { detail: 'the microphone was taken away' }),
    );
  }
}
