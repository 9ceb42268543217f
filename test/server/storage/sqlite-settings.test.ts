import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openConnection, verifyPragmas } from '@teleconsult/server/storage/sqlite/connection';
import { migrate } from '@teleconsult/server/storage/sqlite/migrations';
import { SqliteStore } from '@teleconsult/server/storage/sqlite/sqlite-store';
import { expect, test } from 'vitest';
import { consultationId, fact, newConsultation } from '../../contract/store.fixtures.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

/** What a durable and discreet connection runs with, as SQLite answers it. */
const REQUIRED = {
  journal_mode: 'wal',
  synchronous: 2,
  foreign_keys: 1,
  busy_timeout: 5000,
  temp_store: 2,
  secure_delete: 1,
  cell_size_check: 1,
};

const pragma = (db: DatabaseSync, name: string): unknown =>
  Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];

const settingsOf = (db: DatabaseSync) =>
  Object.fromEntries(Object.keys(REQUIRED).map((name) => [name, pragma(db, name)]));

async function openPath() {
  const dir = await tempDir();
  return { ...dir, path: join(dir.path, 'store.db') };
}

test('[D3] [STO15] a writing and a reading connection run with the required settings', async () => {
  await using dir = await openPath();
  using writer = openConnection(dir.path, { readOnly: false });
  using reader = openConnection(dir.path, { readOnly: true });
  expect(settingsOf(writer)).toEqual(REQUIRED);
  expect(settingsOf(reader)).toEqual(REQUIRED);
  expect(() => reader.exec('CREATE TABLE t (a)')).toThrow('readonly');
});

test.each([
  'journal_mode = DELETE',
  'synchronous = NORMAL',
  'synchronous = OFF',
  'foreign_keys = OFF',
  'busy_timeout = 0',
  'temp_store = FILE',
  'secure_delete = OFF',
  'cell_size_check = OFF',
])('[D3 sabotage] [STO15] a connection set to %s is found out', async (setting) => {
  await using dir = await openPath();
  using db = openConnection(dir.path, { readOnly: false });
  verifyPragmas(db);
  db.exec(`PRAGMA ${setting}`);
  expect(() => verifyPragmas(db)).toThrow(setting.split(' ')[0]);
});

test('[D3] [STO15] a reader of a database that is not in WAL mode does not open', async () => {
  await using dir = await openPath();
  using db = new DatabaseSync(dir.path);
  db.exec('CREATE TABLE t (a)');
  expect(() => openConnection(dir.path, { readOnly: true })).toThrow('journal_mode=delete');
});

test('[STO16] a database that a newer server has written is refused and stays as it was', async () => {
  await using dir = await openPath();
  await (await SqliteStore.open(dir.path)).close();
  const newer = new DatabaseSync(dir.path);
  newer.exec('PRAGMA user_version = 999');
  newer.close();
  await expect(SqliteStore.open(dir.path)).rejects.toThrow('schema 999');
  using db = new DatabaseSync(dir.path);
  expect(pragma(db, 'user_version')).toBe(999);
  // Whoever was refused has let go of it.
  db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT');
});

test('[STO16] migrating again changes nothing and keeps what is stored', async () => {
  await using dir = await openPath();
  const store = await SqliteStore.open(dir.path);
  await store.create(newConsultation(1));
  await store.close();
  using db = openConnection(dir.path, { readOnly: false });
  const schema = () => db.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all();
  const before = { schema: schema(), version: pragma(db, 'user_version') };
  migrate(db);
  migrate(db);
  expect({ schema: schema(), version: pragma(db, 'user_version') }).toEqual(before);
  await using again = disposable(await SqliteStore.open(dir.path));
  expect(await again.load(consultationId(1))).toMatchObject({ lastSequence: 1 });
});

test('[STO16] several that open one new database at once agree on one schema', async () => {
  await using dir = await openPath();
  const stores = await Promise.all(Array.from({ length: 4 }, () => SqliteStore.open(dir.path)));
  await stores[0]?.create(newConsultation(1));
  for (const store of stores) expect(await store.load(consultationId(1))).not.toBeNull();
  await Promise.all(stores.map((store) => store.close()));
});

test('[STO16] what is no database is refused', async () => {
  await using dir = await tempDir();
  await expect(SqliteStore.open(dir.path)).rejects.toThrow();
});

test('[STO17] the files are their owner’s alone, and a clean stop leaves one', async () => {
  await using dir = await tempDir();
  const folder = join(dir.path, 'made', 'for', 'it');
  const store = await SqliteStore.open(join(folder, 'store.db'));
  await store.create(newConsultation(1, { entries: [fact(1)] }));
  expect((await readdir(folder)).toSorted()).toEqual(['store.db', 'store.db-shm', 'store.db-wal']);
  for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  await store.close();
  expect(await readdir(folder)).toEqual(['store.db']);
});

const disposable = (store: SqliteStore) =>
  Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
