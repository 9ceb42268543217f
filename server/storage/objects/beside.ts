import { join, resolve } from 'node:path';
import { AppError } from '@teleconsult/protocol';
import { DiskObjectStore } from './disk.ts';
import type { ObjectStore } from './object-store.ts';
import type { ObjectPlace, ObjectPlaces } from './object-store-settings.ts';
import type { S3Options } from './s3.ts';

/** What can be done beside a server: look, and change nothing. */
export type ReadableObjects = Pick<ObjectStore, 'open' | 'head' | 'list'>;

/**
 * The objects of the settings, to be read beside the server that may be running on them: for verifying and backups.
 * Makes, moves and removes nothing. The second store is asked first, as `StandInObjectStore` does.
 */
export async function openObjectsBeside(
  { first, second }: ObjectPlaces,
  { dataDir, s3 }: { readonly dataDir: string; readonly s3?: S3Options },
): Promise<{ readonly objects: ReadableObjects } & AsyncDisposable> {
  const parts = new AsyncDisposableStack();
  const openOne = async (place: ObjectPlace, folder: string): Promise<ReadableObjects> => {
    if (place.kind === 'disk')
      return DiskObjectStore.beside(place.dir === null ? join(dataDir, folder) : resolve(place.dir));
    const { S3ObjectStore } = await import('./s3.ts');
    return parts.adopt(new S3ObjectStore(place.place, s3), (opened) => opened.close());
  };
  const home = await openOne(first, 'objects');
  const objects = second === null ? home : together(home, await openOne(second, 'objects-second'));
  return { objects, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

function together(home: ReadableObjects, away: ReadableObjects): ReadableObjects {
  return {
    async open(key) {
      try {
        return await away.open(key);
      } catch (error) {
        if (error instanceof AppError && error.code === 'NOT_FOUND') return await home.open(key);
        throw error;
      }
    },
    head: async (key) => (await away.head(key)) ?? (await home.head(key)),
    async *list(prefix) {
      // Bounded by how many objects the second store takes (`MAX_AWAY`).
      const listed = new Set<string>();
      for await (const key of away.list(prefix)) {
        listed.add(key);
        yield key;
      }
      for await (const key of home.list(prefix)) if (!listed.has(key)) yield key;
    },
  };
}
