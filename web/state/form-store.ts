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

async function withStore<T>(
  mode: IDBTransactionMode,
  use: (store: IDBObjectStore) => Promise<T>,
): Promise<T> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.addEventListener('upgradeneeded', () => opening.result.createObjectStore(STORE));
  const database = await answered(opening);
  try {
    return await use(database.transaction(STORE, mode).objectStore(STORE));
  } finally {
    database.close();
  }
}

/**
 * Forms begun and not sent, pictures included, one for each consultation. Where the browser keeps nothing (a private
 * window), a form lives as long as its page.
 */
export const formStore = {
  async load(consultationId: string, now = Date.now()): Promise<FormAnswers> {
    try {
      await formStore.sweep(now);
      const kept = await withStore('readonly', (store) =>
        answered<KeptForm | undefined>(store.get(consultationId)),
      );
      // A version of the pages may have added questions since.
      return { ...EMPTY_ANSWERS, ...kept?.answers };
    } catch {
      return EMPTY_ANSWERS;
    }
  },

  async keep(consultationId: string, answers: FormAnswers, now = Date.now()): Promise<void> {
    const kept: KeptForm = { keptAt: now, answers };
    try {
      await withStore('readwrite', (store) => answered(store.put(kept, consultationId)));
    } catch {
      // Not kept: the form stays on the screen.
    }
  },

  async drop(consultationId: string): Promise<void> {
    try {
      await withStore('readwrite', (store) => answered(store.delete(consultationId)));
    } catch {
      // What cannot be read cannot have been kept.
    }
  },

  async sweep(now: number): Promise<void> {
    await withStore('readwrite', async (store) => {
      const keys = await answered(store.getAllKeys());
      const forms = await answered<KeptForm[]>(store.getAll());
      for (const [index, key] of keys.entries())
        if ((forms[index]?.keptAt ?? 0) < now - KEPT_MS) await answered(store.delete(key));
    });
  },
};
