/** A program that puts objects `one`, `two` … into the folder it is given and says of each how it went. */
import { argv } from 'node:process';
import { Readable } from 'node:stream';
import { AppError } from '@teleconsult/protocol';
import { DiskObjectStore } from '../../server/storage/objects/disk.ts';

const store = await DiskObjectStore.open(argv[2] ?? '');
for (const key of ['one', 'two', 'three']) {
  const outcome = await store.put(key, Readable.from([Buffer.from(key)])).then(
    () => 'saved',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );
  console.log(`${key} ${outcome} ${(await store.head(key)) === null ? 'absent' : 'there'}`);
}
