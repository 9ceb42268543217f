import { setTimeout as wait } from 'node:timers/promises';
import { AppError, type FileId } from '@teleconsult/protocol';
import type { Log } from '../host/ports.ts';
import type { ObjectStore } from '../storage/objects/object-store.ts';
import { openSealedJournal } from '../vault/opened-journal.ts';
import type { Vault } from '../vault/vault.ts';
import { journalContext, journalName, partContext, partKey } from './chunk-names.ts';
import type { JournalFolder } from './journal-folder.ts';
import type { FilePlace } from './ports.ts';

/** Parts that are put at the same time: a recording must not starve the uploads of the store. */
const ABREAST = 2;
/** Between tries while the object store cannot be reached. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

export interface PartSealerParts {
  readonly folder: JournalFolder;
  readonly objects: ObjectStore;
  readonly vault: Vault;
  readonly log: Log;
}

/** A finished journal that is to become a part. */
export interface Handed {
  readonly place: FilePlace;
  readonly index: number;
  /** Bytes of plaintext it must have; null when it was cut and has what it has. */
  readonly byteSize: number | null;
}

/**
 * Makes parts of finished journals: seals what a journal holds as an ordinary object, and removes the journal once the part
 * is stored. While the store cannot be reached the journal stays and is tried again; nothing is lost by a kill in between.
 */
export class PartSealer {
  readonly #parts: PartSealerParts;
  readonly #tasks = new Map<string, { readonly fileId: FileId; readonly done: Promise<void> }>();
  /** Tries that wait for their turn. */
  readonly #queue: (() => void)[] = [];
  readonly #given = new Map<FileId, AbortController>();
  #running = 0;
  #closed = false;

  constructor(parts: PartSealerParts) {
    this.#parts = parts;
  }

  /** Journals that are not parts yet. */
  get size(): number {
    return this.#tasks.size;
  }

  /** Resolves when the part is stored, or was given up by `drop` or `close`; never rejects. Again, it is the same task. */
  hand(handed: Handed): Promise<void> {
    const name = journalName(handed.place, handed.index);
    const running = this.#tasks.get(name);
    if (running !== undefined) return running.done;
    if (this.#closed) return Promise.resolve();
    const { fileId } = handed.place;
    const control = this.#given.get(fileId) ?? new AbortController();
    this.#given.set(fileId, control);
    const done = this.#store(handed, control.signal).finally(() => {
      this.#tasks.delete(name);
      if (![...this.#tasks.values()].some((task) => task.fileId === fileId)) this.#given.delete(fileId);
    });
    this.#tasks.set(name, { fileId, done });
    return done;
  }

  /** Gives up what is under way for a file; resolves when nothing of it is touched any more. */
  async drop(fileId: FileId): Promise<void> {
    this.#given.get(fileId)?.abort();
    await Promise.all([...this.#tasks.values()].filter((task) => task.fileId === fileId).map((t) => t.done));
  }

  /** Waits for what is under way, no longer than `limitMs`; journals that are left are handed in after the next start. */
  async close(limitMs: number): Promise<void> {
    const all = Promise.all([...this.#tasks.values()].map(({ done }) => done));
    const limit = new AbortController();
    await Promise.race([all, wait(limitMs, undefined, { signal: limit.signal }).catch(() => undefined)]);
    limit.abort();
    this.#closed = true;
    for (const control of this.#given.values()) control.abort();
    await all;
  }

  async #store(handed: Handed, signal: AbortSignal): Promise<void> {
    const { log } = this.#parts;
    const { recordingId, fileId } = handed.place;
    let waitMs = FIRST_WAIT_MS;
    for (let tries = 1; !signal.aborted; tries += 1) {
      try {
        await this.#inTurn(() => this.#put(handed, signal));
        if (tries > 1) log.info('recording.partStored', { recording: recordingId, file: fileId });
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof AppError) || !error.retryable) {
          // Kept where it is: what of it authenticates is still read from there.
          log.error('recording.partLost', { recording: recordingId, file: fileId, error });
          return;
        }
        if (tries === 1)
          log.warn('recording.partDelayed', { recording: recordingId, file: fileId, code: error.code });
        await wait(waitMs, undefined, { signal }).catch(() => undefined);
        waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
      }
    }
  }

  async #put({ place, index, byteSize }: Handed, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { folder, objects, vault } = this.#parts;
    const name = journalName(place, index);
    {
      await using source = await folder.open(name);
      const journal = await openSealedJournal(source, {
        key: place.key,
        context: journalContext(place, index),
      });
      if (byteSize !== null && journal.byteSize !== byteSize)
        throw new AppError('INTEGRITY', { cause: new Error('A journal lost what was written to it.') });
      const sealed = vault.seal(journal.read(), { key: place.key, context: partContext(place, index) });
      await objects.put(partKey(place, index), sealed, { signal });
    }
    await folder.remove(name);
  }

  async #inTurn(run: () => Promise<void>): Promise<void> {
    if (this.#running >= ABREAST) {
      const turn = Promise.withResolvers<void>();
      this.#queue.push(turn.resolve);
      await turn.promise;
    } else this.#running += 1;
    try {
      await run();
    } finally {
      // The turn is handed on, so that nobody comes in between.
      const next = this.#queue.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
