import { chmod } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { SqliteWrappedValues } from '../storage/sqlite/sqlite-wrapped-values.ts';
import { withStagingCopy } from '../storage/sqlite/staging-copy.ts';
import type { KeyArchiveWriter } from './key-archive.ts';
import { syncFile } from './layout.ts';

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
  await withStagingCopy(source, dataFolder, (copy) => {
    copy.exec('PRAGMA journal_mode = OFF; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY');
    takeOutKeys(copy, keys);
    // Written anew from what is in the tables, the archive has no page with anything left over.
    copy.prepare('VACUUM INTO ?').run(target);
  });
  await chmod(target, 0o600);
  await syncFile(target);
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
