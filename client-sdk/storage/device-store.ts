import type { PersonId } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type { ClientOptions } from '../api.ts';
import { Lifetime } from '../lifetime.ts';
import { createMemoryStorage } from './memory-storage.ts';
import { openStorage } from './open-storage.ts';
import { type OpenedStorage, storageError } from './opened-storage.ts';
import { PageLock } from './page-lock.ts';

export interface DeviceStoreOptions {
  readonly choice: NonNullable<ClientOptions['storage']>;
  /** Origin of the server. */
  readonly url: string;
  /** Asked once, when the store is first used. */
  readonly personId: () => PersonId | null;
  /** Told when keeping fails, and again only after it had worked in between. */
  readonly onFailure: (error: AppError) => void;
}

/** Everything that is kept says since when. */
export interface Kept {
  readonly at: number;
}

interface Opened {
  readonly storage: OpenedStorage;
  readonly page: PageLock | null;
  /** The chosen storage does not work; what it may hold from before is still there. */
  readonly isSubstitute: boolean;
}

/** What nobody asked for in this time (30 days) is forgotten: health data does not lie about on a device for ever. */
const KEPT_FOR_MS = 30 * 24 * 3_600_000;
/** Keys of dictations, where a host's own storage holds them beside everything else. */
const JOURNALLED = /^(dictation|sound)\//;
/** A database that does not answer for so long is taken for broken: the conversation does not wait for it. */
const PATIENCE_MS = 5_000;
const SILENT = new AppError('STORAGE_UNAVAILABLE', { detail: 'the storage of this device does not answer' });

/**
 * What this device keeps of one person. Its failures are told, never thrown: whoever keeps something goes on in memory.
 * Writes of one key take effect in the order in which they were asked for. Those of different keys do not wait for each
 * other: a page that is left hears of no answer, so what stood behind another write would be lost.
 */
export class DeviceStore {
  readonly #options: DeviceStoreOptions;
  #opened: Promise<Opened> | null = null;
  /** The last write of each key that is under way. */
  readonly #writing = new Map<string, Promise<void>>();
  #failing = false;
  #isClosed = false;

  constructor(options: DeviceStoreOptions) {
    this.#options = options;
  }

  /** This page among those of the browser; null where they cannot be told apart. */
  async page(): Promise<PageLock | null> {
    return this.#isClosed ? null : (await this.#open()).page;
  }

  async get(key: string): Promise<unknown> {
    return this.#try((storage) => storage.get(key), undefined);
  }

  async entries(prefix: string): Promise<readonly (readonly [key: string, value: unknown])[]> {
    return this.#try((storage) => storage.entries(prefix), []);
  }

  /** Resolves when it is kept, or cannot be. */
  set<T extends Kept>(key: string, value: T): Promise<void> {
    return this.#write(key, async (storage) => {
      await storage.set(key, value);
      this.#failing = false;
    });
  }

  delete(key: string): Promise<void> {
    return this.#write(key, (storage) => storage.delete(key));
  }

  /** Forgets everything, also after closing. The one operation that rejects: nobody may believe in vain that it was done. */
  async clear(): Promise<void> {
    await this.#written();
    if ((await this.#open()).isSubstitute) {
      // What the chosen storage holds from before is still there; perhaps it works by now.
      await this.#shut();
      if ((await this.#open()).isSubstitute) throw SILENT;
    }
    const { storage } = await this.#open();
    try {
      await withinPatience(storage.clear());
    } catch (thrown) {
      throw storageError(thrown);
    } finally {
      if (this.#isClosed) await this.#shut();
    }
  }

  /** Finishes what was begun. From then on nothing is kept or found. May be called twice. */
  async close(): Promise<void> {
    await this.#written();
    this.#isClosed = true;
    await this.#shut();
  }

  async #shut(): Promise<void> {
    const opened = this.#opened;
    this.#opened = null;
    if (opened === null) return;
    const { storage, page } = await opened;
    storage.close();
    page?.leave();
  }

  #write(key: string, work: (storage: OpenedStorage) => Promise<void>): Promise<void> {
    const before = this.#writing.get(key) ?? Promise.resolve();
    const writing = before
      .then(() => this.#try(work, undefined))
      .finally(() => {
        if (this.#writing.get(key) === writing) this.#writing.delete(key);
      });
    this.#writing.set(key, writing);
    return writing;
  }

  /** `#try` rejects never, so neither does this. */
  async #written(): Promise<void> {
    await Promise.all(this.#writing.values());
  }

  async #try<T>(work: (storage: OpenedStorage) => Promise<T>, otherwise: T): Promise<T> {
    if (this.#isClosed) return otherwise;
    const opening = this.#open();
    const { storage, isSubstitute } = await opening;
    try {
      return await withinPatience(work(storage));
    } catch (thrown) {
      if (thrown !== SILENT || isSubstitute) {
        this.#fail(thrown);
        return otherwise;
      }
      if (this.#opened === opening) {
        this.#fail(thrown);
        // Whoever comes next must not wait as long again.
        this.#opened = this.#goOnInMemory(opening);
      }
      return this.#try(work, otherwise);
    }
  }

  async #goOnInMemory(before: Promise<Opened>): Promise<Opened> {
    const { storage, page } = await before;
    storage.close();
    return { storage: createMemoryStorage(), page, isSubstitute: true };
  }

  #fail(thrown: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#options.onFailure(storageError(thrown));
  }

  #open(): Promise<Opened> {
    this.#opened ??= this.#openNow();
    return this.#opened;
  }

  async #openNow(): Promise<Opened> {
    const { choice, url, personId } = this.#options;
    const opening = openStorage(choice, { url, personId: personId() });
    try {
      const storage = await withinPatience(opening);
      await forgetOld(storage);
      return { storage, page: await this.#hold(), isSubstitute: false };
    } catch (thrown) {
      this.#fail(thrown);
      opening.then(
        (late) => late.close(),
        () => {},
      );
      return { storage: createMemoryStorage(), page: null, isSubstitute: true };
    }
  }

  /** Memory is of this page alone. */
  async #hold(): Promise<PageLock | null> {
    const isShared = this.#options.choice !== 'memory';
    return isShared ? withinPatience(PageLock.hold()) : null;
  }
}

async function forgetOld(storage: OpenedStorage): Promise<void> {
  const entries = await withinPatience(storage.entries(''));
  const oldest = Date.now() - KEPT_FOR_MS;
  for (const [key, value] of entries) {
    const isOld =
      typeof value !== 'object' || value === null || !('at' in value) || Number(value.at) < oldest;
    // A dictation that is not on the server yet is lost by nobody but the doctor who throws it away.
    if (isOld && !JOURNALLED.test(key)) await withinPatience(storage.delete(key));
  }
}

async function withinPatience<T>(work: Promise<T>): Promise<T> {
  const life = new Lifetime();
  try {
    return await life.withinTime(work, PATIENCE_MS);
  } catch (thrown) {
    throw thrown instanceof AppError && thrown.code === 'TIMEOUT' ? SILENT : thrown;
  }
}
