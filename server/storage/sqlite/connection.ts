import { DatabaseSync } from 'node:sqlite';

/**
 * What makes an acknowledged write durable: a write-ahead log synced at every commit. `foreign_keys` and the
 * rest are read back too, since SQLite ignores a pragma it does not know or cannot apply without a word.
 */
const PRAGMAS: readonly (readonly [name: string, set: string, expected: string | number])[] = [
  // First: the others may have to wait for another connection that opens the same new file.
  ['busy_timeout', '5000', 5000],
  ['journal_mode', 'WAL', 'wal'],
  ['synchronous', 'FULL', 2],
  ['foreign_keys', 'ON', 1],
  // Temporary tables and sorts stay in memory: nothing unsealed reaches a temporary file.
  ['temp_store', 'MEMORY', 2],
  // Deleted rows are overwritten, so that erased bytes do not linger in free pages.
  ['secure_delete', 'ON', 1],
  ['cell_size_check', 'ON', 1],
];

/** Reads back what a connection really runs with and throws when any setting is not as required. */
export function verifyPragmas(db: DatabaseSync): void {
  for (const [name, , expected] of PRAGMAS) {
    const row = db.prepare(`PRAGMA ${name}`).get();
    const actual = row === undefined ? undefined : Object.values(row)[0];
    if (actual !== expected)
      throw new Error(`SQLite runs with ${name}=${String(actual)} where ${String(expected)} is required`);
  }
}

/** Opens a connection with the settings above. A read-only one cannot write, whatever it is asked. */
export function openConnection(path: string, options: { readOnly: boolean }): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: options.readOnly });
  try {
    for (const [name, set] of PRAGMAS) {
      // The journal mode lies in the file and only a writer may change it.
      if (options.readOnly && name === 'journal_mode') continue;
      db.exec(`PRAGMA ${name} = ${set}`);
    }
    verifyPragmas(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
