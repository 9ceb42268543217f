import { AppError, type PersonId, type PhoneCallId } from '@teleconsult/protocol';
import type { BookedFile, FileBook } from '../../recordings/file-book.ts';
import type { StoredFile, TrackFiles } from '../../recordings/ports.ts';
import { type FileFacts, openFileFacts, sealFileFacts } from '../../recordings/sealed-facts.ts';
import type { BegunRecording, PhoneRecordings, PhoneRecordingsParts } from './phone-recordings.ts';
import { SOUND_BEGINNING, soundTypeOf } from './sound-type.ts';
import type { PhoneCallIds, TapedCall } from './taped-call.ts';

export interface ImportWish extends PhoneCallIds {
  /** When its sound began, as far as the provider tells; else when the call was answered. */
  readonly startedAt: number;
  /** When the call ended; left out: now. */
  readonly endedAt?: number;
  /** Its recording is ended by who asks, also when this fails; else with the import. */
  readonly goesOn?: true;
  /** Read once. Whatever its sender says of it, its first bytes tell what it is. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly contentType: string;
  /** Two: the caller left, the callee right. */
  readonly channels: 1 | 2;
  /** Two channels, the callee left. */
  readonly calleeIsLeft?: boolean;
}

/** `erased`: its recording was erased here, so the provider's copy is to go, too. */
export type ImportOutcome = 'sealed' | 'already_there' | 'erased';

export interface ImportedTapesParts extends PhoneRecordingsParts {
  readonly recordings: PhoneRecordings;
  readonly book: FileBook;
  readonly files: TrackFiles;
  readonly measuring: () => void;
  readonly limits?: Partial<ImportLimits>;
}

export interface ImportLimits {
  readonly bytes: number;
  /** Without a byte. */
  readonly idleMs: number;
  /** At the same time. */
  readonly most: number;
}

/** A day of two channels of 16 bits at 8 kHz, with room for a head. */
const LIMITS: ImportLimits = { bytes: 24 * 3_600 * 32_000 + 65_536, idleMs: 60_000, most: 4 };
/** No more than this waits for the disk. */
const FLUSH_BYTES = 1024 * 1024;

/** Recordings that providers have made, streamed through sealing into files: nothing reaches a disk unsealed. */
export class ImportedTapes {
  readonly #parts: ImportedTapesParts;
  readonly #limits: ImportLimits;
  readonly #running = new Map<PhoneCallId, Promise<ImportOutcome>>();
  readonly #closing = new AbortController();

  constructor(parts: ImportedTapesParts) {
    this.#parts = parts;
    this.#limits = { ...LIMITS, ...parts.limits };
  }

  async import(wish: ImportWish): Promise<ImportOutcome> {
    const pieces = wish.body[Symbol.asyncIterator]();
    try {
      // A report that comes twice does not make two files: the second waits for the first.
      const running = this.#running.get(wish.phoneCallId);
      if (running !== undefined) return await running;
      if (this.#closing.signal.aborted) throw new AppError('SHUTTING_DOWN');
      if (this.#running.size >= this.#limits.most) throw new AppError('OVERLOADED');
      const importing = this.#import(wish, pieces);
      this.#running.set(wish.phoneCallId, importing);
      try {
        return await importing;
      } finally {
        this.#running.delete(wish.phoneCallId);
      }
    } finally {
      // Whatever was not read is let go, with the connection it comes from. It may never answer.
      void Promise.resolve(pieces.return?.()).catch(() => undefined);
    }
  }

  /** Gives up what runs: it is fetched anew after the next start. May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#running.values());
  }

  async #import(wish: ImportWish, pieces: AsyncIterator<Uint8Array>): Promise<ImportOutcome> {
    const { recordings, log } = this.#parts;
    const known = await recordings.find(wish);
    if (known?.state === 'erased') return 'erased';
    if (known !== null && (await this.#wholeIn(known)) !== null) return 'already_there';
    const first = await this.#beginningOf(pieces);
    const contentType = soundTypeOf(first);
    if (contentType === null) throw new AppError('UNSUPPORTED_MEDIA');
    const begun = await recordings.begin(wish, 'phone.importRecording');
    try {
      const file = await this.#store(wish, { begun, first, pieces, contentType });
      await this.#removeOthers(begun, file);
      log.info('recording.imported', { recording: begun.recordingId, file: file.place.fileId });
      return 'sealed';
    } finally {
      if (wish.goesOn !== true) await recordings.end(begun, wish.endedAt);
    }
  }

  /** Everything that comes, sealed and written down; or nothing is left of it. */
  async #store(
    wish: ImportWish,
    got: {
      readonly begun: BegunRecording;
      readonly first: Uint8Array;
      readonly pieces: AsyncIterator<Uint8Array>;
      readonly contentType: string;
    },
  ): Promise<BookedFile> {
    const { book, files, store, measuring } = this.#parts;
    const { begun, first, pieces, contentType } = got;
    const booked = await book.begin(begun, begun.key, {
      personId: begun.call.caller,
      channels: channelsOf(wish, begun.call),
      source: 'microphone',
      contentType,
      imported: true,
      startedAt: wish.startedAt,
    });
    try {
      const received = await this.#take(booked, first, pieces);
      const { byteSize, parts } = await booked.file.close();
      if (byteSize !== received) throw new AppError('STORAGE_UNAVAILABLE');
      const { fileId } = booked.place;
      const sealed = sealFileFacts(begun.key, fileId, booked.facts);
      if (!(await store.updateFile({ fileId, state: 'whole', byteSize, parts, sealed })))
        throw new AppError('WRONG_STATE', { detail: 'the recording was erased' });
      measuring();
      return booked;
    } catch (error) {
      await files.remove(booked.place).catch(() => undefined);
      // A row that cannot be removed now is that of a file that grows: the next start looks after it.
      await store.removeFile(booked.place.fileId).catch(() => undefined);
      throw error;
    }
  }

  /** Answers how many bytes there were. */
  async #take({ file }: BookedFile, first: Uint8Array, pieces: AsyncIterator<Uint8Array>): Promise<number> {
    let received = 0;
    let unflushed = 0;
    for (let piece: Uint8Array | null = first; piece !== null; piece = await this.#next(pieces)) {
      received += piece.byteLength;
      if (received > this.#limits.bytes) throw new AppError('TOO_LARGE');
      for (let at = 0; at < piece.byteLength; at += FLUSH_BYTES) {
        const part = piece.subarray(at, at + FLUSH_BYTES);
        if (unflushed + part.byteLength > FLUSH_BYTES) {
          await file.flush();
          unflushed = 0;
        }
        file.append(part);
        unflushed += part.byteLength;
      }
    }
    return received;
  }

  /** As many bytes as tell what it is. */
  async #beginningOf(pieces: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
    let first = Buffer.alloc(0);
    while (first.byteLength < SOUND_BEGINNING) {
      const piece = await this.#next(pieces);
      if (piece === null) return first;
      first = Buffer.concat([first, piece]);
    }
    return first;
  }

  /** null: that was all. */
  async #next(pieces: AsyncIterator<Uint8Array>): Promise<Uint8Array | null> {
    const { signal } = this.#closing;
    if (signal.aborted) throw new AppError('SHUTTING_DOWN');
    const { promise: givenUp, reject } = Promise.withResolvers<never>();
    const stop = (): void => reject(new AppError('SHUTTING_DOWN'));
    const late = setTimeout(() => reject(new AppError('TIMEOUT')), this.#limits.idleMs);
    signal.addEventListener('abort', stop);
    try {
      const next = await Promise.race([pieces.next(), givenUp]);
      return next.done === true ? null : next.value;
    } finally {
      clearTimeout(late);
      signal.removeEventListener('abort', stop);
    }
  }

  /** What an import that was cut off has left goes when there is the whole of it. */
  async #removeOthers({ recordingId, consultationId, key }: BegunRecording, kept: BookedFile): Promise<void> {
    const { store, files, log } = this.#parts;
    for (const file of await store.filesOf(recordingId)) {
      const { fileId, parts } = file;
      if (fileId === kept.place.fileId || openFileFacts(key, file).imported !== true) continue;
      try {
        await files.remove({ recordingId, consultationId, fileId }, parts);
        await store.removeFile(fileId);
      } catch (error) {
        log.warn('recording.leftoverKept', { recording: recordingId, file: fileId, error });
      }
    }
  }

  /** A file of this recording that is all there; null: there is none. */
  async #wholeIn({ recordingId }: Pick<BegunRecording, 'recordingId'>): Promise<StoredFile | null> {
    const files = await this.#parts.store.filesOf(recordingId);
    return files.find(({ state, kind }) => kind === 'track' && state === 'whole') ?? null;
  }
}

/** Who is heard where: a single channel has both. */
function channelsOf(
  { channels, calleeIsLeft = false }: Pick<ImportWish, 'channels' | 'calleeIsLeft'>,
  { caller, callee }: TapedCall,
): NonNullable<FileFacts['channels']> {
  const people: [PersonId, PersonId] = calleeIsLeft ? [callee, caller] : [caller, callee];
  return channels === 1 ? [people] : people.map((person) => [person]);
}
