import { AppError } from '@teleconsult/protocol';
import type { Clock, IdGenerator, Log } from '../host/ports.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import type { FilePlace, GrowingFile, RecordingStore, TrackFiles } from './ports.ts';
import type { RecordingNews } from './recording-news.ts';
import { pause } from './retries.ts';
import { type FileFacts, sealFileFacts } from './sealed-facts.ts';
import type { Wanted } from './wanted.ts';

/** Between tries to write down that a file has ended. */
const AGAIN_MS = 2_000;

export interface FileBookParts {
  readonly store: RecordingStore;
  readonly files: TrackFiles;
  readonly ids: Pick<IdGenerator, 'fileId'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly news: RecordingNews;
  readonly measuring: (place: FilePlace) => void;
  /** Gives up waiting for a store that cannot be written; what is not written down is found at the next start. */
  readonly signal: AbortSignal;
}

export interface BookedFile {
  readonly place: FilePlace;
  readonly file: GrowingFile;
  readonly facts: FileFacts;
}

/** What is known of a file when it begins. */
export type NewTrack = Pick<
  FileFacts,
  'personId' | 'source' | 'contentType' | 'channels' | 'samples' | 'imported'
> & { readonly startedAt: number };

/** Writes down what files there are, before they have a byte and after they have their last. */
export class FileBook {
  readonly #parts: FileBookParts;

  constructor(parts: FileBookParts) {
    this.#parts = parts;
  }

  /** @throws AppError STORAGE_FULL, STORAGE_UNAVAILABLE, OVERLOADED; nothing is left behind then */
  async begin(
    { consultationId, recordingId }: Pick<Wanted, 'consultationId' | 'recordingId'>,
    key: ConsultationKey,
    track: NewTrack,
  ): Promise<BookedFile> {
    const { store, files, ids, clock, news } = this.#parts;
    const place: FilePlace = { consultationId, recordingId, fileId: ids.fileId(), key };
    const facts: FileFacts = { ...track, durationMs: null, truncated: null, waveform: null };
    const { fileId } = place;
    await store.createFile({
      fileId,
      recordingId,
      consultationId,
      kind: 'track',
      createdAt: clock(),
      state: 'growing',
      byteSize: 0,
      parts: 0,
      sealed: sealFileFacts(key, fileId, facts),
    });
    try {
      const file = await files.create(place);
      news.changed(consultationId, recordingId);
      return { place, file, facts };
    } catch (error) {
      // A row that cannot be removed either is that of an empty file, which the next start removes.
      await files.remove(place).catch(() => undefined);
      await store.removeFile(fileId).catch(() => undefined);
      throw error;
    }
  }

  /** Closes a file and writes down how it ended. Tries until it is written, or given up; never throws. */
  async end(
    { place, file, facts }: BookedFile,
    how: { readonly lastAt: number; readonly truncated: FileFacts['truncated'] },
  ): Promise<void> {
    const { log, news, measuring } = this.#parts;
    const { consultationId, recordingId, fileId } = place;
    try {
      const { byteSize, parts } = await file.close();
      const durationMs = facts.startedAt === null ? 0 : Math.max(0, how.lastAt - facts.startedAt);
      const ended: FileFacts = { ...facts, durationMs, truncated: how.truncated };
      if (byteSize === 0) await this.#untilWritten(() => this.#forget(place));
      else await this.#untilWritten(() => this.#write(place, ended, { byteSize, parts }));
      news.changed(consultationId, recordingId);
      if (byteSize > 0 && !this.#parts.signal.aborted) measuring(place);
    } catch (error) {
      log.error('recording.fileNotEnded', { recording: recordingId, file: fileId, error });
    }
  }

  async #write(
    { fileId, key }: FilePlace,
    facts: FileFacts,
    size: { readonly byteSize: number; readonly parts: number },
  ): Promise<void> {
    await this.#parts.store.updateFile({
      fileId,
      state: facts.truncated === null ? 'whole' : 'truncated',
      ...size,
      sealed: sealFileFacts(key, fileId, facts),
    });
  }

  async #forget(place: FilePlace): Promise<void> {
    await this.#parts.files.remove(place);
    await this.#parts.store.removeFile(place.fileId);
  }

  async #untilWritten(write: () => Promise<void>): Promise<void> {
    const { signal } = this.#parts;
    for (;;)
      try {
        return await write();
      } catch (error) {
        if (signal.aborted || !(error instanceof AppError) || !error.retryable) throw error;
        await pause(AGAIN_MS, signal);
      }
  }
}
