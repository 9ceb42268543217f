import { join } from 'node:path';
import { openConnection } from '@teleconsult/server/storage/sqlite/connection';
import { SqlitePhone } from '@teleconsult/server/storage/sqlite/sqlite-phone';
import { Writer } from '@teleconsult/server/storage/sqlite/writer';
import { tempDir } from '../helpers/temp-dir.ts';
import { phoneStoreContract } from './phone-store.suite.ts';

phoneStoreContract('SQLite', async () => {
  const dir = await tempDir();
  const path = join(dir.path, 'store.db');
  const writer = await Writer.open(path);
  const reader = openConnection(path, { readOnly: true });
  return {
    phone: new SqlitePhone(writer, reader),
    [Symbol.asyncDispose]: async () => {
      reader.close();
      await writer.close();
      await dir[Symbol.asyncDispose]();
    },
  };
});
