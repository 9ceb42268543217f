import { EMPTY_ANSWERS, type FormAnswers } from './form-answers.ts';

const DATABASE = 'teleconsult-forms';
const STORE = 'forms';
/** A form that was begun and left is health data on a device that may be shared: it is not kept longer. */
const KEPT_MS = 7 * 24 * 3_600_000;

interface KeptForm {
  readonly keptAt: number;
  readonly answers: FormAnswers;
}

const answered = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('the store failed')));
  });

/**
 * Stays open while the page does: a page that goes away has no time to open it, and what was typed last would be
 * lost. Where it cannot be opened, it is tried again next time.
 */
let opened: IDBDatabase | null = null;
let opening: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
  if (opened !== null) return Promise.resolve(opened);
  opening ??= (async () => {
    const request = indexedDB.open(DATABASE, 1);
    request.addEventListener('upgradeneeded', () => request.result.createObjectStore(STORE));
    const database = await answered(request);
    const forget = (): void => {
      if (opened === database) opened = null;
    };
    // Another page with a newer version, or the browser's "clear data".
    database.addEventListener('versionchange', () => {
      forget();
      database.close();
    });
    database.addEventListener('close', forget);
    opened = database;
    return database;
  })().finally(() => {
    opening = null;
  });
  return opening;
}

/** Asked for and committed in one go, so that it is done also when the page ends with this very task. */
function write(database: IDBDatabase, change: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
  const transaction = database.transaction(STORE, 'readwrite');
  const done = answered(change(transaction.objectStore(STORE)));
  transaction.commit();
  return done;
}

/**
 * Forms begun and not sent, pictures included, one for each consultation. Where the browser keeps nothing (a private
 * window), a form lives as long as its page.
 */
export const formStore = {
  async load(consultationId: string, now = Date.now()): Promise<FormAnswers> {
    try {
      await formStore.sweep(now);
      const store = (await open()).transaction(STORE, 'readonly').objectStore(STORE);
      const kept = await answered<KeptForm | undefined>(store.get(consultationId));
      // A version of the pages may have added questions since.
      return { ...EMPTY_ANSWERS, ...kept?.answers };
    } catch {
      return EMPTY_ANSWERS;
    }
  },

  /** Once a form was loaded, what is kept here is safe when this returns its promise. */
  async keep(consultationId: string, answers: FormAnswers, now = Date.now()): Promise<void> {
    const kept: KeptForm = { keptAt: now, answers };
    try {
      await write(opened ?? (await open()), (store) => store.put(kept, consultationId));
    } catch {
      // Not kept: the form stays on the screen.
    }
  },

  async drop(consultationId: string): Promise<void> {
    try {
      await write(opened ?? (await open()), (store) => store.delete(consultationId));
    } catch {
      // What cannot be read cannot have been kept.
    }
  },

  async sweep(now: number): Promise<void> {
    const store = (await open()).transaction(STORE, 'readwrite').objectStore(STORE);
    const keys = await answered(store.getAllKeys());
    const forms = await answered<KeptForm[]>(store.getAll());
    for (const [index, key] of keys.entries())
      if ((forms[index]?.keptAt ?? 0) < now - KEPT_MS) await answered(store.delete(key));
  },
};
