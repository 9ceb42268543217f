import type { PersonId } from '@teleconsult/protocol';
import type { ClientOptions, ClientStorage } from '../api.ts';
import { openIdbStorage } from './idb-storage.ts';
import { createMemoryStorage } from './memory-storage.ts';
import type { OpenedStorage } from './opened-storage.ts';

export interface StorageScope {
  /** Origin of the server. */
  readonly url: string;
  readonly personId: PersonId | null;
}

/**
 * The storage that an app has chosen, holding what is of this person at this server and nothing else. Of nobody known
 * (a token that cannot be read) nothing is kept beyond the page, and where there is no IndexedDB neither.
 */
export async function openStorage(
  choice: NonNullable<ClientOptions['storage']>,
  { url, personId }: StorageScope,
): Promise<OpenedStorage> {
  if (choice === 'memory' || personId === null) return createMemoryStorage();
  if (choice !== 'durable') return partOf(choice, `${url}/${personId}/`);
  if (globalThis.indexedDB === undefined) return createMemoryStorage();
  return openIdbStorage(databaseOf(url, personId));
}

/** The database of one person of one server. */
export const databaseOf = (url: string, personId: PersonId): string => `teleconsult ${url} ${personId}`;

/** The keys that begin with the prefix. The storage is the host's, who closes it. */
function partOf(storage: ClientStorage, prefix: string): OpenedStorage {
  return {
    get: (key) => storage.get(`${prefix}${key}`),
    entries: async (under) => {
      const entries = await storage.entries(`${prefix}${under}`);
      return entries.map(([key, value]) => [key.slice(prefix.length), value] as const);
    },
    set: (key, value) => storage.set(`${prefix}${key}`, value),
    delete: (key) => storage.delete(`${prefix}${key}`),
    clear: async () => {
      const entries = await storage.entries(prefix);
      for (const [key] of entries) await storage.delete(key);
    },
    close: () => {},
  };
}
