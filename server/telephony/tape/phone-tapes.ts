import { setTimeout as wait } from 'node:timers/promises';
import { AppError, type PhoneCallId } from '@teleconsult/protocol';
import type { IdGenerator, Publisher } from '../../host/ports.ts';
import { FileBook } from '../../recordings/file-book.ts';
import type { TrackFiles } from '../../recordings/ports.ts';
import { RecordingNews } from '../../recordings/recording-news.ts';
import { PHONE_CALL_SOUND } from '../../recordings/sample-format.ts';
import type { OpenTape, PhoneCallTape } from '../ports.ts';
import { ImportedTapes, type ImportLimits, type ImportOutcome, type ImportWish } from './imported-tapes.ts';
import { PhoneRecordings, type PhoneRecordingsParts } from './phone-recordings.ts';
import { PhoneTape } from './phone-tape.ts';

export interface PhoneTapesParts extends Omit<PhoneRecordingsParts, 'news' | 'signal'> {
  readonly files: TrackFiles;
  readonly ids: Pick<IdGenerator, 'fileId'>;
  readonly publisher: Pick<Publisher, 'toWatchers'>;
  /** A file is finished: its loudness can be found out. */
  readonly measuring: () => void;
  /** Most calls that are recorded at the same time: each is a file of the system. */
  readonly maxTapes?: number;
  /** How long a call waits for its tape. */
  readonly openMs?: number;
  /** Of a tape. */
  readonly maxBytes?: number;
  readonly importLimits?: Partial<ImportLimits>;
}

const MAX_TAPES = 500;
/** Two people wait on the phone for it: what takes longer is no store to record to. */
const OPEN_MS = 5_000;

/** The recordings of phone calls: of our own relay as they run, and of providers when they are fetched. */
export class PhoneTapes {
  /** For those who begin a recording before there is sound of it (provider-recordings.ts). */
  readonly recordings: PhoneRecordings;
  readonly #parts: PhoneTapesParts;
  readonly #givenUp = new AbortController();
  readonly #news: RecordingNews;
  readonly #book: FileBook;
  readonly #imported: ImportedTapes;
  /** Of calls that are recorded; null: it did not open. */
  readonly #tapes = new Map<PhoneCallId, Promise<PhoneTape | null>>();
  #closing: Promise<void> | null = null;

  constructor(parts: PhoneTapesParts) {
    this.#parts = parts;
    this.#news = new RecordingNews(parts.publisher);
    const shared = { ...parts, news: this.#news, signal: this.#givenUp.signal };
    this.recordings = new PhoneRecordings(shared);
    this.#book = new FileBook(shared);
    this.#imported = new ImportedTapes({
      ...shared,
      recordings: this.recordings,
      book: this.#book,
      limits: parts.importLimits ?? {},
    });
  }

  /** Calls that are recorded now. */
  get running(): number {
    return this.#tapes.size;
  }

  /**
   * Opens the tape of a call, after both were told. The recording is on the audit trail and in the store before its first
   * byte. null: nothing is recorded, and the log says why.
   */
  readonly open: OpenTape = async (call): Promise<PhoneCallTape | null> => {
    const { maxTapes = MAX_TAPES, openMs = OPEN_MS, log } = this.#parts;
    const { phoneCallId } = call;
    if (this.#closing !== null) return null;
    if (this.#tapes.size >= maxTapes || this.#tapes.has(phoneCallId)) {
      log.warn('recording.tapeNotOpened', { reason: this.#tapes.has(phoneCallId) ? 'open' : 'overloaded' });
      return null;
    }
    const opening = this.#open(call);
    this.#tapes.set(phoneCallId, opening);
    const tape = await within(openMs, opening);
    if (tape !== undefined) return tape;
    log.warn('recording.tapeNotOpened', { reason: 'too slow' });
    // Whoever asked has gone on without it.
    void opening.then((late) => late?.close());
    return null;
  };

  /**
   * Seals what a provider has recorded of a call into the vault, as it comes. Once it resolves it survives a power cut, and
   * the provider's copy may go; again changes nothing. One that fails is fetched anew from its beginning.
   * @throws AppError UNSUPPORTED_MEDIA, TOO_LARGE, NOT_FOUND, or what may be tried again: OVERLOADED, TIMEOUT, SHUTTING_DOWN,
   *   STORAGE_UNAVAILABLE, STORAGE_FULL; and what reading the body throws
   */
  importTape(wish: ImportWish): Promise<ImportOutcome> {
    return this.#imported.import(wish);
  }

  /** Ends every tape where it is. Before the files are closed; may be called twice. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      const tapes = [...this.#tapes.values()].map(async (tape) => (await tape)?.end('server_stopped'));
      const importing = this.#imported.close();
      // A store that could not be written until now is not waited for.
      this.#givenUp.abort();
      await Promise.all([...tapes, importing]);
      this.#news.close();
    })();
    return this.#closing;
  }

  /** Never throws. */
  async #open(call: Parameters<OpenTape>[0]): Promise<PhoneTape | null> {
    const { log, clock, maxBytes } = this.#parts;
    const { phoneCallId } = call;
    try {
      const begun = await this.recordings.begin(call, 'phone.record');
      const { caller, callee } = begun.call;
      const startedAt = clock();
      const end = async (): Promise<void> => {
        await this.recordings.end(begun);
        this.#tapes.delete(phoneCallId);
      };
      try {
        const booked = await this.#book.begin(begun, begun.key, {
          personId: caller,
          channels: [[caller], [callee]],
          source: 'microphone',
          contentType: 'audio/wav',
          samples: PHONE_CALL_SOUND,
          startedAt,
        });
        const limit = maxBytes === undefined ? {} : { maxBytes };
        return new PhoneTape({ book: this.#book, booked, startedAt, log, onEnded: end, ...limit });
      } catch (error) {
        await end();
        throw error;
      }
    } catch (error) {
      this.#tapes.delete(phoneCallId);
      const code = error instanceof AppError ? error.code : 'INTERNAL';
      log.warn('recording.tapeNotOpened', { code, error });
      return null;
    }
  }
}

/** undefined: it took longer. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const limit = new AbortController();
  const waited = wait(ms, undefined, { signal: limit.signal }).catch(() => undefined);
  try {
    return await Promise.race([work, waited]);
  } finally {
    limit.abort();
  }
}
