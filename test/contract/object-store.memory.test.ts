import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { MemoryObjectStore } from '../../server/storage/objects/memory.ts';
import { objectStoreContract } from './object-store.suite.ts';

objectStoreContract('memory', async () => ({
  store: new MemoryObjectStore(),
  [Symbol.asyncDispose]: async () => undefined,
}));

test('[OBJ8] a test can make the next call fail, and only that', async () => {
  const store = new MemoryObjectStore();
  const bytes = () => Readable.from([Buffer.from('x')]);
  store.nextCall('full');
  await expect(store.put('a', bytes())).rejects.toMatchObject({ code: 'STORAGE_FULL', retryable: true });
  expect(await store.head('a')).toBeNull();
  await store.put('a', bytes());
  store.nextCall('unavailable');
  await expect(store.open('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', retryable: true });
  await store.open('a');
});
