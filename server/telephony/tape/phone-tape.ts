import { AppError, type TruncationReason } from '@teleconsult/protocol';
import type { Log } from '../../host/ports.ts';
import type { BookedFile, FileBook } from '../../recordings/file-book.ts';
import { momentBytes, PHONE_CALL_SOUND, soundMs } from '../../recordings/sample-format.ts';
import type { PhoneCallTape } from '../ports.ts';

/** A day: longer than any call is let run, and less than a WAV file can tell of. */
export const MAX_TAPE_BYTES = 24 * 3_600 * PHONE_CALL_SOUND.rate * momentBytes(PHONE_CALL_SOUND);

export interface PhoneTapeParts {
  readonly book: FileBook;
  readonly booked: BookedFile;
  readonly startedAt: number;
  readonly log: Log;
  /** Told once, when nothing is taken any more and its file is written down. */
  readonly onEnded: () => Promise<void>;
  readonly maxBytes?: number;
}

/**
 * The sound of one phone call on its way into one file. What fails costs the tape, never the call: from then on everything
 * is thrown away, and the file says why it ends where it does.
 */
export class PhoneTape implements PhoneCallTape {
  readonly #parts: PhoneTapeParts;
  #byteSize = 0;
  #ending: Promise<void> | null = null;
  #isLost = false;
  #tellLost: (() => void) | null = null;

  constructor(parts: PhoneTapeParts) {
    this.#parts = parts;
  }

  append(samples: Uint8Array): void {
    if (this.#ending !== null || samples.byteLength === 0) return;
    const { booked, maxBytes = MAX_TAPE_BYTES } = this.#parts;
    if (this.#byteSize + samples.byteLength > maxBytes) {
      this.#lose('recorder_failed');
      return;
    }
    try {
      // Whoever reads packets uses their memory again, and a file may hold what it is given for a moment.
      booked.file.append(Uint8Array.from(samples));
      this.#byteSize += samples.byteLength;
    } catch (error) {
      this.#lose('storage_failed', error);
    }
  }

  onLost(listener: () => void): void {
    if (this.#isLost) listener();
    else this.#tellLost = listener;
  }

  close(): Promise<void> {
    return this.end(null);
  }

  /** @param reason why it ends before its call does; null: its call ends. May be called twice: the first counts. */
  end(reason: TruncationReason | null): Promise<void> {
    this.#ending ??= this.#end(reason);
    return this.#ending;
  }

  #lose(reason: TruncationReason, error?: unknown): void {
    const { log, booked } = this.#parts;
    const { recordingId, fileId } = booked.place;
    const code = error instanceof AppError ? error.code : null;
    log.warn('recording.tapeLost', {
      recording: recordingId,
      file: fileId,
      reason,
      ...(code === null ? {} : { code }),
    });
    void this.end(reason);
    this.#isLost = true;
    this.#tellLost?.();
  }

  async #end(reason: TruncationReason | null): Promise<void> {
    const { book, booked, startedAt, onEnded } = this.#parts;
    const kept = await booked.file.close().then(
      ({ byteSize }) => byteSize,
      () => 0,
    );
    // A disk may fail with the last bytes, when nobody appends any more who could be told.
    const why = reason ?? (kept < this.#byteSize ? 'storage_failed' : null);
    const lastAt = startedAt + soundMs(PHONE_CALL_SOUND, kept);
    await book.end(booked, { lastAt, truncated: why === null ? null : { at: lastAt, reason: why } });
    await onEnded();
  }
}
