import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteStore } from '@teleconsult/server/storage/sqlite/sqlite-store';
import { tempDir } from '../helpers/temp-dir.ts';
import { auditContract } from './audit.suite.ts';

auditContract('SQLite', async () => {
  const dir = await tempDir();
  const path = join(dir.path, 'store.db');
  const store = await SqliteStore.open(path);
  return {
    audit: store.audit,
    fail: (isFailing) => {
      using db = new DatabaseSync(path);
      db.exec(
        isFailing
          ? `CREATE TRIGGER no_audit BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END`
          : 'DROP TRIGGER no_audit',
      );
    },
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await dir[Symbol.asyncDispose]();
    },
  };
});
