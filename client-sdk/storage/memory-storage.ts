import type { OpenedStorage } from './opened-storage.ts';

/** Keeps as long as the page lasts. Values are copied as a database would copy them. */
export function createMemoryStorage(): OpenedStorage {
  const kept = new Map<string, unknown>();
  return {
    get: async (key) => structuredClone(kept.get(key)),
    entries: async (prefix) =>
      [...kept]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => [key, structuredClone(value)] as const),
    set: async (key, value) => {
      kept.set(key, structuredClone(value));
    },
    delete: async (key) => {
      kept.delete(key);
    },
    clear: async () => kept.clear(),
    close: () => {},
  };
}
