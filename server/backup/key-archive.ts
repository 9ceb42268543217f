import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { syncFolder } from '../storage/objects/durable-folder.ts';
import { SqliteWrappedValues } from '../storage/sqlite/sqlite-wrapped-values.ts';
import type { RowKey, ValueColumn } from '../vault/wrapped-values.ts';
import { bodyName } from './layout.ts';
import type { ListedObject } from './manifest.ts';

const SCHEMA = `
  CREATE TABLE value (
    in_table TEXT NOT NULL,
    in_column TEXT NOT NULL,
    row TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (in_table, in_column, row)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE header (
    object TEXT PRIMARY KEY,
    identity TEXT NOT NULL,
    header BLOB NOT NULL,
    body_bytes INTEGER NOT NULL,
    body_sha256 TEXT NOT NULL,
    body_name TEXT NOT NULL UNIQUE
  ) STRICT, WITHOUT ROWID;
`;

/** Rows between two commits. */
const COMMIT_ROWS = 10_000;
const OVERWRITE_BYTES = 1024 * 1024;

export interface ArchivedHeader extends ListedObject {
  readonly header: Uint8Array;
}

/**
 * What the archives of a backup folder need to be read: the wrapped keys that were taken out of the database, and the
 * headers that were taken off the objects. There is one, and each backup replaces it. So what was erased before the last
 * backup can be opened from no archive any more, however old.
 */
export class KeyArchiveWriter implements Disposable {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #values: StatementSync;
  readonly #headers: StatementSync;
  #rows = 0;

  /** Begins a new one beside the one there is. */
  constructor(path: string) {
    this.#path = path;
    rmSync(draftOf(path), { force: true });
    // Made for its owner alone before anything is in it.
    closeSync(openSync(draftOf(path), 'wx', 0o600));
    this.#db = new DatabaseSync(draftOf(path));
    this.#db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY');
    this.#db.exec(SCHEMA);
    this.#values = this.#db.prepare(
      'INSERT INTO value (in_table, in_column, row, sealed) VALUES (?, ?, ?, ?)',
    );
    this.#headers = this.#db.prepare(
      `INSERT OR REPLACE INTO header (object, identity, header, body_bytes, body_sha256, body_name)
        VALUES (?, ?, ?, ?, ?, ?)`,
    );
    this.#db.exec('BEGIN');
  }

  addValue({ table, column }: ValueColumn, row: RowKey, sealed: Uint8Array): void {
    this.#values.run(table, column, JSON.stringify(row), sealed);
    this.#commitSome();
  }

  addHeader({ object, identity, header, bodyBytes, bodySha256 }: ArchivedHeader): void {
    this.#headers.run(object, identity, header, bodyBytes, bodySha256, bodyName({ object, identity }));
    this.#commitSome();
  }

  /** Puts it in the place of the one there was, durably, and overwrites that one as far as the file system lets it. */
  async replace(): Promise<void> {
    this.#db.exec('COMMIT');
    this.#db.close();
    const former = existsSync(this.#path) ? openSync(this.#path, 'r+') : null;
    try {
      const draft = openSync(draftOf(this.#path), 'r+');
      fsyncSync(draft);
      closeSync(draft);
      renameSync(draftOf(this.#path), this.#path);
      await syncFolder(dirname(this.#path));
      if (former !== null) overwrite(former);
    } finally {
      if (former !== null) closeSync(former);
    }
  }

  [Symbol.dispose](): void {
    if (this.#db.isOpen) this.#db.close();
    rmSync(draftOf(this.#path), { force: true });
  }

  #commitSome(): void {
    this.#rows += 1;
    if (this.#rows % COMMIT_ROWS === 0) this.#db.exec('COMMIT; BEGIN');
  }
}

/** The key archive of the last backup, to read. */
export class KeyArchive extends SqliteWrappedValues implements Disposable {
  readonly #db: DatabaseSync;
  readonly #header: StatementSync;
  readonly #body: StatementSync;
  readonly #values: StatementSync;

  /** @throws Error when there is none */
  constructor(path: string) {
    if (!existsSync(path))
      throw new Error(`There is no key archive at ${path}: no backup was completed there.`);
    const db = new DatabaseSync(path, { readOnly: true });
    super(null, db);
    this.#db = db;
    this.#header = db.prepare('SELECT * FROM header WHERE object = ?');
    this.#body = db.prepare('SELECT 1 FROM header WHERE body_name = ?');
    this.#values = db.prepare('SELECT in_table, in_column, row, sealed FROM value');
  }

  /** The header of an object; null when the object was erased, or replaced by another of its name. */
  headerOf({
    object,
    identity,
  }: {
    readonly object: string;
    readonly identity: string;
  }): ArchivedHeader | null {
    const row = this.#header.get(object);
    if (row === undefined || row['identity'] !== identity) return null;
    return {
      object,
      identity,
      header: row['header'] as Uint8Array,
      bodyBytes: Number(row['body_bytes']),
      bodySha256: String(row['body_sha256']),
    };
  }

  /** Whether it has the header of the object whose bodies' names begin so. */
  hasBody(name: string): boolean {
    return this.#body.get(name) !== undefined;
  }

  /** Every wrapped value, with the place it was taken from. */
  *allValues(): Generator<{ table: string; column: string; row: RowKey; sealed: Uint8Array }> {
    for (const row of this.#values.iterate())
      yield {
        table: String(row['in_table']),
        column: String(row['in_column']),
        row: JSON.parse(String(row['row'])) as RowKey,
        sealed: row['sealed'] as Uint8Array,
      };
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

const draftOf = (path: string): string => `${path}.new`;

/** On a disk that copies on write, or moves its blocks about, the old bytes may outlive this. */
function overwrite(file: number): void {
  const zeros = Buffer.alloc(OVERWRITE_BYTES);
  const { size } = fstatSync(file);
  for (let at = 0; at < size; at += zeros.byteLength)
    writeSync(file, zeros, 0, Math.min(zeros.byteLength, size - at), at);
  fsyncSync(file);
}
