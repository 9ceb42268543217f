import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openConnection } from '@teleconsult/server/storage/sqlite/connection';
import { GroupCommit, type WritableDatabase } from '@teleconsult/server/storage/sqlite/group-commit';
import type { Unit } from '@teleconsult/server/storage/sqlite/writer-protocol';
import { expect, test } from 'vitest';
import { tempDir } from '../../helpers/temp-dir.ts';

const insert = (id: number, ...names: readonly (string | null)[]): Unit => ({
  id,
  statements: names.map((name) => ({ sql: 'INSERT INTO word (name) VALUES (?)', params: [name] })),
});

async function openWords() {
  const dir = await tempDir();
  const path = join(dir.path, 'words.db');
  const db = openConnection(path, { readOnly: false });
  db.exec('CREATE TABLE word (name TEXT PRIMARY KEY NOT NULL) STRICT');
  return {
    db,
    path,
    words: () =>
      db
        .prepare('SELECT name FROM word ORDER BY name')
        .all()
        .map((row) => row['name']),
    [Symbol.asyncDispose]: async () => {
      db.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** A database that notes what it is asked, and can be told to throw at the next request that begins with a word. */
class FailingDatabase implements WritableDatabase {
  readonly asked: string[] = [];
  readonly #db: DatabaseSync;
  #failure: { readonly begins: string; readonly errcode: number } | null = null;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  get isTransaction(): boolean {
    return this.#db.isTransaction;
  }

  failNext(begins: string, errcode: number): void {
    this.#failure = { begins, errcode };
  }

  exec(sql: string): void {
    this.#note(sql);
    this.#db.exec(sql);
  }

  prepare(sql: string): ReturnType<WritableDatabase['prepare']> {
    const statement = this.#db.prepare(sql);
    return {
      run: (...params) => {
        this.#note(sql);
        return statement.run(...params);
      },
    };
  }

  #note(sql: string): void {
    this.asked.push(sql.split(' ')[0] ?? '');
    if (this.#failure === null || !sql.startsWith(this.#failure.begins)) return;
    const { errcode } = this.#failure;
    this.#failure = null;
    throw Object.assign(new Error('the disk said so'), { code: 'ERR_SQLITE_ERROR', errcode });
  }
}

const IOERR_FSYNC = 10 | (4 << 8);
const IOERR_WRITE = 10 | (3 << 8);
const IOERR_SHMSIZE = 10 | (19 << 8);
const BUSY = 5;
const CORRUPT = 11;
const FULL = 13;

test('[STO18] many units share one transaction, and each hears of its own changes', async () => {
  await using opened = await openWords();
  const db = new FailingDatabase(opened.db);
  const results = new GroupCommit(db).write([insert(1, 'a'), insert(2, 'b', 'c'), insert(3)]);
  expect(results).toEqual([
    { id: 1, ok: true, changes: [1] },
    { id: 2, ok: true, changes: [1, 1] },
    { id: 3, ok: true, changes: [] },
  ]);
  expect(db.asked.filter((word) => word === 'COMMIT')).toHaveLength(1);
  expect(opened.words()).toEqual(['a', 'b', 'c']);
});

test('[STO18] a unit that breaks uniqueness, or is a mistake, is undone alone', async () => {
  await using opened = await openWords();
  const commit = new GroupCommit(opened.db);
  const wrong: Unit = { id: 4, statements: [{ sql: 'INSERT INTO nowhere VALUES (1)', params: [] }] };
  const results = commit.write([
    insert(1, 'a'),
    insert(2, 'b', 'a'),
    insert(3, 'c', null),
    wrong,
    insert(5, 'b'),
  ]);
  expect(results).toMatchObject([
    { id: 1, ok: true },
    { id: 2, ok: false, failure: { kind: 'unique', constraint: 'UNIQUE constraint failed: word.name' } },
    { id: 3, ok: false, failure: { kind: 'bug' } },
    { id: 4, ok: false, failure: { kind: 'bug' } },
    { id: 5, ok: true },
  ]);
  expect(opened.words()).toEqual(['a', 'b']);
});

test.each([
  ['BEGIN', BUSY, 'unavailable'],
  ['INSERT', FULL, 'full'],
  ['COMMIT', FULL, 'full'],
  ['COMMIT', IOERR_SHMSIZE, 'full'],
  ['INSERT', IOERR_WRITE, 'unavailable'],
  ['COMMIT', IOERR_WRITE, 'unavailable'],
])(
  '[D4] [STO19] when %s fails with code %i every unit fails as %s, nothing is left, and the next goes',
  async (begins, errcode, kind) => {
    await using opened = await openWords();
    const db = new FailingDatabase(opened.db);
    const commit = new GroupCommit(db);
    db.failNext(begins, errcode);
    expect(commit.write([insert(1, 'a'), insert(2, 'b')])).toMatchObject([
      { id: 1, ok: false, failure: { kind } },
      { id: 2, ok: false, failure: { kind } },
    ]);
    expect(opened.db.isTransaction).toBe(false);
    expect(opened.words()).toEqual([]);
    expect(commit.write([insert(3, 'a')])).toEqual([{ id: 3, ok: true, changes: [1] }]);
  },
);

test.each([
  ['COMMIT', IOERR_FSYNC],
  ['INSERT', CORRUPT],
])(
  '[D5] [STO20] after %s has failed with code %i nothing is written or acknowledged any more',
  async (begins, errcode) => {
    await using opened = await openWords();
    const db = new FailingDatabase(opened.db);
    const commit = new GroupCommit(db);
    db.failNext(begins, errcode);
    const broken = { ok: false, failure: { kind: 'broken', errcode } };
    expect(commit.write([insert(1, 'a'), insert(2, 'b')])).toMatchObject([broken, broken]);
    const askedBefore = db.asked.length;
    expect(commit.write([insert(3, 'c')])).toMatchObject([{ id: 3, ...broken }]);
    expect(db.asked).toHaveLength(askedBefore);
    expect(opened.words()).toEqual([]);
  },
);

test('[STO20] a transaction that can be neither committed nor undone ends all writing', async () => {
  await using opened = await openWords();
  const db = new FailingDatabase(opened.db);
  const commit = new GroupCommit(db);
  // A transaction inside of a transaction does not begin, and the undoing of both is made to fail.
  opened.db.exec('BEGIN');
  db.failNext('ROLLBACK', FULL);
  expect(commit.write([insert(1, 'a')])).toMatchObject([{ failure: { kind: 'broken' } }]);
  expect(commit.write([insert(2, 'b')])).toMatchObject([{ failure: { kind: 'broken' } }]);
});

test('[STO19] while another process writes, a unit waits or is told that the store is unavailable', async () => {
  await using opened = await openWords();
  using other = new DatabaseSync(opened.path);
  opened.db.exec('PRAGMA busy_timeout = 1');
  other.exec('BEGIN IMMEDIATE');
  const commit = new GroupCommit(opened.db);
  expect(commit.write([insert(1, 'a')])).toMatchObject([{ ok: false, failure: { kind: 'unavailable' } }]);
  other.exec('COMMIT');
  expect(commit.write([insert(1, 'a')])).toMatchObject([{ ok: true }]);
});
