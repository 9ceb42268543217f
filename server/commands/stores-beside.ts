import { join, resolve } from 'node:path';
import { AppError } from '@teleconsult/protocol';
import { DiskObjectStore } from '../storage/objects/disk.ts';
import type { ObjectStore } from '../storage/objects/object-store.ts';
import type { ObjectPlace, ObjectPlaces } from '../storage/objects/object-store-settings.ts';

export interface StoresBeside {
  readonly store: ObjectStore;
  close(): void;
}

/**
 * The object stores of the settings, beside the server that has them open: nothing is tidied up and nothing is moved. What
 * both stores have is newer in the second (`storage/objects/stand-in.ts`).
 */
export async function openStoresBeside(
  dataFolder: string,
  { first, second }: ObjectPlaces,
): Promise<StoresBeside> {
  const one = await openBeside(first, join(dataFolder, 'objects'));
  if (second === null) return one;
  const other = await openBeside(second, join(dataFolder, 'objects-second'));
  return {
    store: bothStores(other.store, one.store),
    close() {
      other.close();
      one.close();
    },
  };
}

/** One place of objects; also for a restore that goes to a bucket. */
export async function openBeside(place: ObjectPlace, folder: string): Promise<StoresBeside> {
  if (place.kind === 'disk') {
    const root = place.dir === null ? folder : resolve(place.dir);
    return { store: DiskObjectStore.beside(root), close: () => undefined };
  }
  // Only who uses S3 loads its client.
  const { S3ObjectStore } = await import('../storage/objects/s3.ts');
  const store = new S3ObjectStore(place.place);
  return { store, close: () => void store.close() };
}

function bothStores(newer: ObjectStore, older: ObjectStore): ObjectStore {
  return {
    put: () => Promise.reject(new TypeError('Commands put nothing.')),
    async open(key) {
      try {
        return await newer.open(key);
      } catch (error) {
        if (error instanceof AppError && error.code === 'NOT_FOUND') return await older.open(key);
        throw error;
      }
    },
    head: async (key) => (await newer.head(key)) ?? (await older.head(key)),
    async delete(key) {
      await older.delete(key);
      await newer.delete(key);
    },
    async *list(prefix) {
      for await (const key of newer.list(prefix)) yield key;
      for await (const key of older.list(prefix)) if ((await newer.head(key)) === null) yield key;
    },
  };
}
