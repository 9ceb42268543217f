import type {
  ConsultationId,
  DictationPurpose,
  FollowUpId,
  PersonId,
  RecordingId,
} from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { MAX_DICTATION_FILES } from '@teleconsult/protocol/limits';
import type { ClientOptions } from '../api.ts';
import { journalOf, openIdbStorage } from '../storage/idb-storage.ts';
import { databaseOf, openStorage } from '../storage/open-storage.ts';
import { type OpenedStorage, storageError } from '../storage/opened-storage.ts';

/** Containers that the server takes, best first. Safari before 18.4 writes only MP4. */
export const CONTENT_TYPES = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/mp4'] as const;
export type DictationContentType = (typeof CONTENT_TYPES)[number];

/** What is known of a dictation, beside its sound. */
export interface JournalHead {
  readonly version: 1;
  readonly at: number;
  /** The `clientDictationId`. */
  readonly id: string;
  readonly consultationId: ConsultationId;
  readonly purpose: DictationPurpose;
  readonly followUpId: FollowUpId | null;
  readonly startedAt: number;
  readonly contentType: DictationContentType;
  /**
   * `open`: it may be continued. `finishing`: the server is to be told that this is all. `discarding`: the server is to
   * erase it. `done`: nothing but the journal itself is left to be removed.
   */
  readonly stage: 'open' | 'finishing' | 'discarding' | 'done';
  /** null until the server is known to know of it. */
  readonly recordingId: RecordingId | null;
}

/** A piece of one file, never changed once it is written. */
export interface Sound {
  readonly at: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many bytes of its file there are up to its end. */
  readonly endByte: number;
  /** How long its file is up to its end, by the recorder's clock. */
  readonly endMs: number;
}

/** Keys of one file sort by the number of the piece. */
const DIGITS = 6;
/** How many are removed at once. */
const REMOVED_AT_ONCE = 64;

/**
 * Dictations of one person on this device: for each a head and the pieces of its files, numbered without gaps. A piece
 * that is written is there after the page, the browser or the power is gone. Rejects with `STORAGE_FULL` or
 * `STORAGE_UNAVAILABLE`.
 */
export class Journal {
  readonly #storage: OpenedStorage;
  #isForgotten = false;

  constructor(storage: OpenedStorage) {
    this.#storage = storage;
  }

  /** What this device keeps is being wiped: from here on nothing is written, however late it comes. */
  forget(): void {
    this.#isForgotten = true;
  }

  /** Those of another version of the SDK are left alone. */
  async heads(): Promise<readonly JournalHead[]> {
    const entries = await this.#storage.entries('dictation/');
    return entries.flatMap(([, value]) => (isHead(value) ? [value] : []));
  }

  async head(id: string): Promise<JournalHead | null> {
    const value = await this.#storage.get(headKey(id));
    return isHead(value) ? value : null;
  }

  async writeHead(head: JournalHead): Promise<void> {
    this.#requireKept();
    try {
      await this.#storage.set(headKey(head.id), head);
    } catch (thrown) {
      throw storageError(thrown);
    }
  }

  async write(id: string, place: { file: number; piece: number }, sound: Sound): Promise<void> {
    this.#requireKept();
    await this.#storage.set(soundKey(id, place), sound);
  }

  /** Null where there is none, or one that cannot be read. */
  async read(id: string, place: { file: number; piece: number }): Promise<Sound | null> {
    const value = await this.#storage.get(soundKey(id, place));
    return isSound(value) ? value : null;
  }

  /** How many pieces a file has, found without reading them all. */
  async pieces(id: string, file: number): Promise<number> {
    let beyond = 1;
    while ((await this.read(id, { file, piece: beyond - 1 })) !== null) beyond *= 2;
    // The first one that is not there lies between.
    let [from, to] = [beyond >> 1, beyond - 1];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((await this.read(id, { file, piece: middle })) === null) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  /** The sound, then the head: what is cut off is taken up again. */
  async remove(id: string): Promise<void> {
    await this.removeSound(id);
    await this.#storage.delete(headKey(id));
  }

  async removeSound(id: string): Promise<void> {
    for (let file = 0; file < MAX_DICTATION_FILES; file += 1) {
      const pieces = await this.pieces(id, file);
      // The last one first, so that what is left is without gaps.
      for (let end = pieces; end > 0; end -= REMOVED_AT_ONCE) {
        const some = Array.from({ length: Math.min(REMOVED_AT_ONCE, end) }, (_, n) => end - 1 - n);
        await Promise.all(some.map((piece) => this.#storage.delete(soundKey(id, { file, piece }))));
      }
      if (pieces === 0) break;
    }
  }

  close(): void {
    this.#storage.close();
  }

  #requireKept(): void {
    if (this.#isForgotten) throw new AppError('STORAGE_UNAVAILABLE', { detail: 'forgotten' });
  }
}

/** In a database of its own, so that nothing else that is kept makes a second of speech wait. */
export async function openJournal(
  choice: NonNullable<ClientOptions['storage']>,
  { url, personId }: { readonly url: string; readonly personId: PersonId | null },
): Promise<Journal> {
  const isOwn = choice === 'durable' && personId !== null && globalThis.indexedDB !== undefined;
  return new Journal(
    isOwn
      ? await openIdbStorage(journalOf(databaseOf(url, personId)), 'strict')
      : await openStorage(choice, { url, personId }),
  );
}

const headKey = (id: string): string => `dictation/${id}`;

const soundKey = (id: string, { file, piece }: { file: number; piece: number }): string =>
  `sound/${id}/${file}/${String(piece).padStart(DIGITS, '0')}`;

function isHead(value: unknown): value is JournalHead {
  return (
    typeof value === 'object' &&
    value !== null &&
    'version' in value &&
    value.version === 1 &&
    'id' in value &&
    'stage' in value
  );
}

function isSound(value: unknown): value is Sound {
  return (
    typeof value === 'object' &&
    value !== null &&
    'bytes' in value &&
    value.bytes instanceof Uint8Array &&
    'endByte' in value &&
    'endMs' in value
  );
}
