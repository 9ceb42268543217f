/**
 * A program that puts objects `one`, `two` … into the folder it is given and says of each how it went. With `stubborn`
 * a failed flush is tried again, which a store must not do.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { argv } from 'node:process';
import { Readable } from 'node:stream';
import { AppError } from '@teleconsult/protocol';
import { DiskObjectStore } from '../../server/storage/objects/disk.ts';

const [, , folder = '', how] = argv;
if (how === 'stubborn') {
  await using file = await open(import.meta.filename);
  const handles = Object.getPrototypeOf(file) as { sync: () => Promise<void> };
  const sync = (handle: FileHandle) => once.call(handle);
  const once = handles.sync;
  handles.sync = function (this: FileHandle) {
    return sync(this).catch(() => sync(this));
  };
}
const store = await DiskObjectStore.open(folder);
for (const key of ['one', 'two', 'three']) {
  const outcome = await store.put(key, Readable.from([Buffer.from(key)])).then(
    () => 'saved',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );
  console.log(`${key} ${outcome} ${(await store.head(key)) === null ? 'absent' : 'there'}`);
}
