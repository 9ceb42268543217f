import { join } from 'node:path';
import { SqliteStore } from '@teleconsult/server/storage/sqlite/sqlite-store';
import { tempDir } from '../helpers/temp-dir.ts';
import { attachmentStoreContract } from './store.attachments.suite.ts';
import type { StoresUnderTest } from './store.fixtures.ts';
import { consultationStoreContract } from './store.suite.ts';
import { threadStoreContract } from './store.thread.suite.ts';

async function openStores(): Promise<StoresUnderTest> {
  const dir = await tempDir();
  const store = await SqliteStore.open(join(dir.path, 'store.db'));
  return {
    consultations: store,
    attachments: store.attachments,
    close: () => store.close(),
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

consultationStoreContract('SQLite', openStores);
attachmentStoreContract('SQLite', openStores);
threadStoreContract('SQLite', openStores);
