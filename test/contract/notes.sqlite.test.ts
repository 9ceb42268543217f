import { join } from 'node:path';
import { SqliteStore } from '@teleconsult/server/storage/sqlite/sqlite-store';
import { tempDir } from '../helpers/temp-dir.ts';
import { noteStoreContract } from './notes.suite.ts';

noteStoreContract('SQLite', async () => {
  const dir = await tempDir();
  const store = await SqliteStore.open(join(dir.path, 'store.db'));
  return {
    notes: store.notes,
    consultations: store,
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await dir[Symbol.asyncDispose]();
    },
  };
});
