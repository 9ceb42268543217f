import { MemoryStore } from '@teleconsult/server/storage/memory/memory-store';
import { expect, test } from 'vitest';
import { attachmentStoreContract } from './store.attachments.suite.ts';
import { consultationId, fact, newConsultation, type StoresUnderTest } from './store.fixtures.ts';
import { consultationStoreContract } from './store.suite.ts';
import { threadStoreContract } from './store.thread.suite.ts';

async function openStores(): Promise<StoresUnderTest> {
  const store = new MemoryStore();
  const close = () => store.close();
  return { consultations: store, attachments: store, close, [Symbol.asyncDispose]: close };
}

consultationStoreContract('memory', openStores);
attachmentStoreContract('memory', openStores);
threadStoreContract('memory', openStores);

test('[STO25] a test can make the next write fail, and only that; it leaves nothing behind', async () => {
  const store = new MemoryStore();
  store.nextCall('full');
  await expect(store.create(newConsultation(1))).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  expect(await store.load(consultationId(1))).toBeNull();
  await store.create(newConsultation(1));
  store.nextCall('unavailable');
  const commit = { consultationId: consultationId(1), entries: [fact(2)], state: null };
  await expect(store.append(commit)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  expect(await store.append(commit)).toBe('committed');
});
