import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { SqliteWrappedValues } from '../storage/sqlite/sqlite-wrapped-values.ts';
import type { KeyArchiveWriter } from './key-archive.ts';
import { DATABASE_FILE, syncFile } from './layout.ts';

/** All pages in one step: a copy in several begins again whenever the server writes in between. */
const ALL_PAGES = 2 ** 31 - 1;
const PAGE_ROWS = 1_000;

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * Copies the database as it is at one moment into `target`, without what is wrapped by the provider's keys: that goes to
 * the key archive. The copy with the keys in it lies in the data folder, where they are anyway, and never in the backup.
 * @param source a connection to the database, which a server may be writing
 */
export async function archiveDatabase(
  source: DatabaseSync,
  { dataFolder, target, keys }: { dataFolder: string; target: string; keys: KeyArchiveWriter },
): Promise<void> {
  const staging = join(dataFolder, 'backup-staging');
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { mode: 0o700 });
  try {
    const copy = join(staging, DATABASE_FILE);
    await backup(source, copy, { rate: ALL_PAGES });
    await chmod(copy, 0o600);
    const db = new DatabaseSync(copy);
    try {
      db.exec('PRAGMA journal_mode = OFF; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY');
      takeOutKeys(db, keys);
      // Written anew from what is in the tables, the copy has no page with anything left over.
      db.prepare('VACUUM INTO ?').run(target);
    } finally {
      db.close();
    }
    await chmod(target, 0o600);
    await syncFile(target);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

function takeOutKeys(db: DatabaseSync, keys: KeyArchiveWriter): void {
  const values = new SqliteWrappedValues(null, db);
  for (const column of values.columns()) {
    for (let after: readonly (string | number)[] | null = null; ; ) {
      const page = values.page(column, { after, limit: PAGE_ROWS });
      for (const { row, sealed } of page.values) keys.addValue(column, row, sealed);
      after = page.next;
      if (after === null) break;
    }
    const bytes = quoted(column.column);
    db.exec(`UPDATE ${quoted(column.table)} SET ${bytes} = x'' WHERE substr(${bytes}, 1, 3) = x'020478'`);
  }
}
