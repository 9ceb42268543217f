import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { DiskObjectStore } from '../storage/objects/disk.ts';
import { makeFolder, syncFolder } from '../storage/objects/durable-folder.ts';
import type { ObjectStore } from '../storage/objects/object-store.ts';
import { statementsToErase } from '../storage/sqlite/sqlite-erasure.ts';
import { byteColumns } from '../storage/sqlite/sqlite-wrapped-values.ts';
import { KeyArchive } from './key-archive.ts';
import {
  archivesIn,
  bodiesIn,
  bodyPath,
  DATABASE_FILE,
  isArchiveName,
  journalNameOf,
  journalsIn,
  keyArchiveIn,
  OBJECTS_FILE,
  PARTIAL,
  syncFile,
} from './layout.ts';
import { archiveNames, parseListedObject, verifiedManifest } from './manifest.ts';

export interface RestoreOptions {
  readonly folder: string;
  /** Which archive; null: the newest. */
  readonly archive: string | null;
  /** A data folder that is not there yet, or empty. */
  readonly target: string;
  /** Where objects go instead of the folder's own, such as a bucket: it must be empty; null: the folder's own. */
  readonly objects: ObjectStore | null;
}

export interface RestoreResult {
  readonly archive: string;
  readonly objects: number;
  /** What the archive holds and the key archive does not open any more: it was erased since. */
  readonly erasedConsultations: number;
  readonly erasedObjects: number;
}

/**
 * Puts an archive and the newest keys together as a new data folder. What was erased since the archive was made stays
 * erased: its keys are nowhere. The folder appears under its name when all of it is there and was found to be what the
 * manifest says. The key file has to be put in by hand, from where it is kept apart.
 * @throws Error when the target is not empty, there is no such archive, or a part of it is damaged
 */
export async function restore({
  folder,
  archive,
  target,
  objects: elsewhere,
}: RestoreOptions): Promise<RestoreResult> {
  const name = await pickArchive(folder, archive);
  await assertEmpty(target);
  if (elsewhere !== null) await assertNoObjects(elsewhere);
  const source = join(archivesIn(folder), name);
  await verifiedManifest(source);
  using keys = new KeyArchive(keyArchiveIn(folder));
  const draft = `${resolve(target)}${PARTIAL}`;
  await rm(draft, { recursive: true, force: true });
  await makeFolder(dirname(draft));
  await mkdir(draft, { mode: 0o700 });
  const database = join(draft, DATABASE_FILE);
  await copyFile(join(source, DATABASE_FILE), database);
  await chmod(database, 0o600);
  const erasedConsultations = putKeysBack(database, keys);
  await syncFile(database);
  const store = elsewhere ?? (await DiskObjectStore.open(join(draft, 'objects')));
  const { objects, erased } = await putObjectsBack(join(source, OBJECTS_FILE), {
    folder,
    keys,
    store,
    draft,
  });
  await syncFolder(draft);
  await rmdir(target).catch(() => undefined);
  await rename(draft, target);
  await syncFolder(dirname(draft));
  return { archive: name, objects, erasedConsultations, erasedObjects: erased };
}

async function pickArchive(folder: string, archive: string | null): Promise<string> {
  const names = await archiveNames(folder);
  const name = archive ?? names.at(-1);
  if (name === undefined) throw new Error(`There is no complete archive in ${folder}.`);
  if (!isArchiveName(name) || !names.includes(name))
    throw new Error(`There is no archive ${name} in ${folder}. There are: ${names.join(', ') || 'none'}.`);
  return name;
}

async function assertEmpty(target: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(target);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  if (names.length > 0)
    throw new Error(`${target} is not empty. A restore never writes over anything: name a new folder.`);
}

async function assertNoObjects(store: ObjectStore): Promise<void> {
  for await (const _object of store.list(''))
    throw new Error(
      'The object store has objects already. A restore never writes over anything: name an empty one.',
    );
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Answers how many consultations have no key any more. */
function putKeysBack(path: string, keys: KeyArchive): number {
  const db = new DatabaseSync(path);
  try {
    db.exec('PRAGMA journal_mode = OFF; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON; BEGIN');
    const columns = byteColumns(db);
    for (const { table, column, row, sealed } of keys.allValues()) {
      const place = columns.find((one) => one.table === table && one.column === column);
      // A table that this archive's version did not have yet.
      if (place === undefined) continue;
      const found = place.rowKey.map((key) => `${quoted(key)} = ?`).join(' AND ');
      db.prepare(
        `UPDATE ${quoted(table)} SET ${quoted(column)} = ? WHERE ${found} AND length(${quoted(column)}) = 0`,
      ).run(sealed, ...row);
    }
    const erased = db.prepare('SELECT consultation_id FROM consultation WHERE length(wrapped_key) = 0').all();
    for (const row of erased)
      for (const { sql, params } of statementsToErase(String(row['consultation_id']), byTable(db)))
        db.prepare(sql).run(...params);
    for (const { table, column } of columns)
      if (table !== 'consultation')
        db.exec(`DELETE FROM ${quoted(table)} WHERE length(${quoted(column)}) = 0`);
    db.exec('COMMIT');
    // As the server and the commands expect it; without a log, since this is the only connection.
    db.exec('PRAGMA journal_mode = WAL');
    return erased.length;
  } finally {
    db.close();
  }
}

const byTable = (db: DatabaseSync): ReadonlySet<string> =>
  new Set(
    db
      .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`)
      .all()
      .map(({ name }) => String(name)),
  );

async function putObjectsBack(
  list: string,
  { folder, keys, store, draft }: { folder: string; keys: KeyArchive; store: ObjectStore; draft: string },
): Promise<{ objects: number; erased: number }> {
  let objects = 0;
  let erased = 0;
  for await (const line of createInterface({ input: createReadStream(list), crlfDelay: Infinity })) {
    if (line === '') continue;
    const listed = parseListedObject(line);
    const header = keys.headerOf(listed);
    if (header === null) {
      erased += 1;
      continue;
    }
    const { shard, file } = bodyPath(listed);
    const body = join(bodiesIn(folder), shard, file);
    const bytes = whole(header.header, body, listed.bodySha256);
    const journal = journalNameOf(listed.object);
    if (journal === null) await store.put(listed.object, bytes);
    else await putJournal(journalsIn(draft), journal, bytes);
    objects += 1;
  }
  return { objects, erased };
}

async function putJournal(folder: string, name: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  if (name !== basename(name)) throw new Error('The list of objects names a file elsewhere.');
  await makeFolder(folder);
  {
    await using file = await open(join(folder, name), 'wx', 0o600);
    for await (const chunk of bytes) await file.writeFile(chunk);
    await file.sync();
  }
  await syncFolder(folder);
}

/** Header and body; fails at the end, before anything is kept, where the body is not what was archived. */
async function* whole(header: Uint8Array, body: string, sha256: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  if (header.byteLength > 0) yield header;
  for await (const chunk of createReadStream(body) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== sha256)
    throw new Error(`${body} is not what was archived: it was changed or is damaged.`);
}
