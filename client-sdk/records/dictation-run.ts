import { AppError } from '@teleconsult/protocol/errors';
import { DictationRecorder } from './dictation-recorder.ts';
import type { DictationContentType } from './journal.ts';
import type { Release } from './page-locks.ts';
import type { SoundFile } from './sound-file.ts';

/** The microphone, and the right of this page to dictate; whoever takes it frees it. */
export interface Microphone {
  readonly stream: MediaStream;
  readonly release: Release;
}

export function freeMicrophone({ stream, release }: Microphone): void {
  for (const track of stream.getTracks()) track.stop();
  release();
}

export interface DictationRunOptions {
  readonly microphone: Microphone;
  readonly contentType: DictationContentType;
  readonly file: SoundFile;
  /** There is sound, and some of it is about to be added to the file. */
  readonly onSound: () => void;
  readonly onLevel: (level: number) => void;
  /** It cannot go on. */
  readonly onEnded: (reason: AppError) => void;
}

/** From when the microphone is opened until it is freed: one run of the recorder, into one file. */
export class DictationRun {
  readonly file: SoundFile;
  readonly #recorder: DictationRecorder;
  readonly #options: DictationRunOptions;
  /** What was handed over by the recorder and is on its way to the file. */
  #arriving: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | null = null;

  /** Throws `UNSUPPORTED_BROWSER`, and has freed the microphone then. */
  constructor(options: DictationRunOptions) {
    const { microphone, contentType, file, onLevel, onEnded } = options;
    this.file = file;
    this.#options = options;
    try {
      this.#recorder = new DictationRecorder(microphone.stream, contentType, {
        onSound: (sound, endMs) => this.#handleSound(sound, endMs),
        onLevel,
        onEnded,
      });
    } catch (cause) {
      freeMicrophone(microphone);
      throw new AppError('UNSUPPORTED_BROWSER', { detail: 'no recorder', cause });
    }
  }

  get durationMs(): number {
    return this.#recorder.durationMs;
  }

  get isStopping(): boolean {
    return this.#stopping !== null;
  }

  pause(): void {
    this.#recorder.pause();
  }

  resume(): void {
    this.#recorder.resume();
  }

  /** Resolves when the last sound is kept, or cannot be, and the microphone is free. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await this.#recorder.stop();
    await this.#arriving;
    await this.file.settled();
    this.file.close();
    freeMicrophone(this.#options.microphone);
  }

  #handleSound(sound: Blob, endMs: number): void {
    const reading = sound.arrayBuffer();
    reading.catch(() => {});
    this.#arriving = this.#arriving.then(async () => {
      // What comes after a gap would be noise.
      if (this.file.isClosed) return;
      try {
        const bytes = new Uint8Array(await reading);
        this.#options.onSound();
        this.file.add(bytes, endMs);
      } catch (cause) {
        this.file.close();
        this.#options.onEnded(new AppError('INTERNAL', { detail: 'sound could not be read', cause }));
      }
    });
  }
}
