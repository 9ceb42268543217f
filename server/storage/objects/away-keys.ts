import { open, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '@teleconsult/protocol';
import { syncFolder } from './durable-folder.ts';
import type { ObjectStore } from './object-store.ts';
import { isMissing, toStorageError } from './storage-error.ts';

/** Some 20 MB of names; an outage of the first store that lasts longer ends in `STORAGE_FULL`. */
export const MAX_AWAY = 100_000;

/** Remembers over a restart whether nothing is away, for when the second store cannot be asked then. */
export interface NothingAwayNote {
  read(): Promise<boolean>;
  /** Durable once it resolves. `false` must succeed on a full disk too. */
  write(nothingAway: boolean): Promise<void>;
}

/** A file that is there while nothing is away: removing one needs no room. */
export function nothingAwayFile(path: string): NothingAwayNote {
  return {
    async read() {
      try {
        return (await stat(path)).isFile();
      } catch (error) {
        if (isMissing(error)) return false;
        throw toStorageError(error);
      }
    },
    async write(nothingAway) {
      try {
        if (nothingAway) await (await open(path, 'a', 0o600)).close();
        else await rm(path, { force: true });
        await syncFolder(dirname(path));
      } catch (error) {
        throw toStorageError(error);
      }
    },
  };
}

/**
 * Which objects may be in the second store. A key stands here **before** its object is written there and until it is
 * known to be gone, so what is not listed is surely not there. Until the second store was listed once, every key may be.
 */
export class AwayKeys {
  readonly #note: NothingAwayNote;
  readonly #max: number;
  readonly #keys = new Set<string>();
  #isComplete = false;
  /** What the note says; null while that is not known. */
  #noted: boolean | null = null;
  /** One change of the note at a time, each by what is true when its turn comes. */
  #noting: Promise<void> = Promise.resolve();

  constructor(note: NothingAwayNote, { max = MAX_AWAY }: { max?: number } = {}) {
    this.#note = note;
    this.#max = max;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  get size(): number {
    return this.#keys.size;
  }

  mayHave(key: string): boolean {
    return !this.#isComplete || this.#keys.has(key);
  }

  /** Those known of, as they are now. */
  beginningWith(prefix: string): string[] {
    return [...this.#keys].filter((key) => key.startsWith(prefix));
  }

  /** @throws AppError STORAGE_FULL, STORAGE_UNAVAILABLE */
  async add(key: string): Promise<void> {
    // Also for one that is known already: to note it may have failed the last time.
    if (this.#keys.has(key)) return await this.#sayWhetherEmpty();
    if (this.#keys.size >= this.#max)
      throw new AppError('STORAGE_FULL', {
        cause: new Error('The second store holds as many as are kept track of.'),
      });
    this.#keys.add(key);
    await this.#sayWhetherEmpty();
  }

  /** Never throws: a note that still says that something is away costs a question at the next start. */
  async remove(key: string): Promise<void> {
    this.#keys.delete(key);
    await this.#sayWhetherEmpty().catch(() => undefined);
  }

  /**
   * Learns what is in the second store. When that cannot be asked, the note is believed.
   * @throws AppError STORAGE_UNAVAILABLE when neither is to be had; every key may be away then
   */
  async learn(second: ObjectStore): Promise<void> {
    if (this.#isComplete) return;
    try {
      for await (const key of second.list('')) {
        // Too many to keep track of: the second store is asked for every key until enough have come home.
        if (!this.#keys.has(key) && this.#keys.size >= this.#max) return;
        this.#keys.add(key);
      }
    } catch (error) {
      if (this.#keys.size > 0 || !(await this.#note.read())) throw error;
    }
    this.#isComplete = true;
    await this.#sayWhetherEmpty().catch(() => undefined);
  }

  async #sayWhetherEmpty(): Promise<void> {
    const said = this.#noting.then(() => this.#changeNote());
    this.#noting = said.catch(() => undefined);
    await said;
  }

  async #changeNote(): Promise<void> {
    const nothingAway = this.#isComplete && this.#keys.size === 0;
    if (this.#noted === nothingAway) return;
    this.#noted = null;
    await this.#note.write(nothingAway);
    this.#noted = nothingAway;
  }
}
