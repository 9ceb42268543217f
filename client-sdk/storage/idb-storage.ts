import { type DBSchema, deleteDB, type IDBPDatabase, type IDBPObjectStore, openDB } from 'idb';
import { type OpenedStorage, storageError } from './opened-storage.ts';

interface Schema extends DBSchema {
  kept: { key: string; value: unknown };
}

type WritableStore = IDBPObjectStore<Schema, ['kept'], 'kept', 'readwrite'>;

const SCHEMA_VERSION = 1;
/** Dictations have a database of their own: nothing that is kept beside them makes a second of speech wait. */
export const journalOf = (name: string): string => `${name} journal`;
/** Sorts after every character that a key can go on with. */
const LAST = '\uffff';

/**
 * Keeps in IndexedDB, one database for each name. Every operation is a transaction of its own, and those of one page
 * take effect in the order in which they were asked for. Rejects with `STORAGE_FULL` or `STORAGE_UNAVAILABLE`.
 */
export async function openIdbStorage(
  name: string,
  /** `strict`: what is kept survives a power cut, too. */
  durability: IDBTransactionDurability = 'default',
): Promise<OpenedStorage> {
  const storage = new IdbStorage(name, durability);
  await storage.open();
  return storage;
}

class IdbStorage implements OpenedStorage {
  readonly #name: string;
  readonly #durability: IDBTransactionDurability;
  #database: Promise<IDBPDatabase<Schema>> | null = null;

  constructor(name: string, durability: IDBTransactionDurability) {
    this.#name = name;
    this.#durability = durability;
  }

  async open(): Promise<void> {
    await this.#within(() => Promise.resolve());
  }

  get(key: string): Promise<unknown> {
    return this.#within((database) => database.get('kept', key));
  }

  entries(prefix: string): Promise<readonly (readonly [string, unknown])[]> {
    return this.#within(async (database) => {
      const { store, done } = database.transaction('kept', 'readonly');
      const range = IDBKeyRange.bound(prefix, `${prefix}${LAST}`);
      const [keys, values] = await Promise.all([store.getAllKeys(range), store.getAll(range), done]);
      return keys.map((key, index) => [key, values[index]] as const);
    });
  }

  async set(key: string, value: unknown): Promise<void> {
    // As it is now: the database may be opened first.
    const copy: unknown = structuredClone(value);
    await this.#change((store) => store.put(copy, key));
  }

  async delete(key: string): Promise<void> {
    await this.#change((store) => store.delete(key));
  }

  /** With what modules beside the client keep of this person, whether they are loaded or not. */
  async clear(): Promise<void> {
    await this.#within((database) => database.clear('kept'));
    await deleteDB(journalOf(this.#name));
  }

  close(): void {
    const closing = this.#database;
    this.#database = null;
    closing?.then(
      (database) => database.close(),
      () => {},
    );
  }

  async #change(work: (store: WritableStore) => Promise<unknown>): Promise<void> {
    await this.#within(async (database) => {
      const transaction = database.transaction('kept', 'readwrite', { durability: this.#durability });
      const asked = work(transaction.store);
      // Without waiting for the answer: a page that is left just now hears of none, and nothing would have happened.
      transaction.commit();
      // A full disk shows when the transaction is to be completed, not when the value is put.
      await Promise.all([asked, transaction.done]);
    });
  }

  async #within<T>(work: (database: IDBPDatabase<Schema>) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#opened());
    } catch (thrown) {
      throw storageError(thrown);
    }
  }

  /** Opened anew after the browser or another page has closed it. */
  #opened(): Promise<IDBPDatabase<Schema>> {
    const letGo = () => this.close();
    this.#database ??= openDB<Schema>(this.#name, SCHEMA_VERSION, {
      upgrade: (database) => void database.createObjectStore('kept'),
      // Another page wants to delete it or runs a newer version of the SDK.
      blocking: letGo,
      terminated: letGo,
    }).catch((error: unknown) => {
      this.#database = null;
      throw error;
    });
    return this.#database;
  }
}
