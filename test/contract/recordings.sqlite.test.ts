import { join } from 'node:path';
import { SqliteStore } from '@teleconsult/server/storage/sqlite/sqlite-store';
import { tempDir } from '../helpers/temp-dir.ts';
import { recordingStoreContract } from './recordings.suite.ts';

recordingStoreContract('SQLite', async () => {
  const dir = await tempDir();
  const store = await SqliteStore.open(join(dir.path, 'store.db'));
  return {
    recordings: store.recordings,
    consultations: store,
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await dir[Symbol.asyncDispose]();
    },
  };
});
