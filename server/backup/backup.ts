import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolder, syncFolder } from '../storage/objects/durable-folder.ts';
import type { ObjectStore } from '../storage/objects/object-store.ts';
import { archiveDatabase } from './archive-database.ts';
import { type Archivable, archiveObjects, everythingSealed, removeErasedBodies } from './archive-objects.ts';
import { KeyArchive, KeyArchiveWriter } from './key-archive.ts';
import {
  archiveName,
  archivesIn,
  DATABASE_FILE,
  keyArchiveIn,
  MANIFEST_FILE,
  OBJECTS_FILE,
  PARTIAL,
  syncFile,
} from './layout.ts';
import { archiveNames, describeFile, type Manifest } from './manifest.ts';

export interface BackupOptions {
  /** Where the database lies that `db` is a connection to. */
  readonly dataFolder: string;
  readonly db: DatabaseSync;
  readonly objects: ObjectStore;
  /** Where backups go; made when it is not there. */
  readonly folder: string;
  /** How many archives are kept; null: all. */
  readonly keep: number | null;
  /** The present moment in milliseconds. */
  readonly now: number;
}

export interface BackupResult {
  readonly archive: string;
  readonly objects: number;
  readonly copied: number;
  /** Bodies that nobody can open any more and that were removed. */
  readonly removed: number;
}

/**
 * Makes an archive of a data folder, also while a server writes to it: the database as it is at one moment, and the
 * objects, of which only new ones are copied. Then the key archive is replaced by the keys of this moment. An archive is
 * complete or not there; what a backup that was killed has left is removed by the next.
 *
 * The key file is no part of it: whoever has both can read everything.
 * @throws Error when another backup writes to the folder
 */
export async function backUp(options: BackupOptions): Promise<BackupResult> {
  const { dataFolder, db, objects, folder, keep, now } = options;
  await makeFolder(archivesIn(folder));
  using _lock = lockBackupFolder(folder);
  await removePartial(folder);
  const name = archiveName(now);
  const partial = join(archivesIn(folder), `${name}${PARTIAL}`);
  await mkdir(partial, { mode: 0o700 });
  using keys = new KeyArchiveWriter(keyArchiveIn(folder));
  await archiveDatabase(db, { dataFolder, target: join(partial, DATABASE_FILE), keys });
  const { count, copied } = await listObjects(everythingSealed(dataFolder, objects), {
    folder,
    partial,
    keys,
  });
  await writeManifest(partial, now);
  // The keys first: with new keys the older archives open as well, and with old keys a new archive does not.
  await keys.replace();
  await rename(partial, join(archivesIn(folder), name));
  await syncFolder(archivesIn(folder));
  await removeOldArchives(folder, keep);
  using written = new KeyArchive(keyArchiveIn(folder));
  const removed = await removeErasedBodies(folder, written);
  return { archive: name, objects: count, copied, removed };
}

async function listObjects(
  things: AsyncIterable<Archivable>,
  { folder, partial, keys }: { folder: string; partial: string; keys: KeyArchiveWriter },
): Promise<{ count: number; copied: number }> {
  await using list = await open(join(partial, OBJECTS_FILE), 'wx', 0o600);
  const path = keyArchiveIn(folder);
  using former = existsSync(path) ? new KeyArchive(path) : null;
  const archived = await archiveObjects(things, { folder, keys, former, list });
  await list.sync();
  return archived;
}

async function writeManifest(partial: string, now: number): Promise<void> {
  const manifest: Manifest = {
    format: 1,
    createdAt: new Date(now).toISOString(),
    database: await describeFile(join(partial, DATABASE_FILE)),
    objects: await describeFile(join(partial, OBJECTS_FILE)),
  };
  const path = join(partial, MANIFEST_FILE);
  await writeFile(path, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  await syncFile(path);
  await syncFolder(partial);
}

async function removePartial(folder: string): Promise<void> {
  for (const name of await readdir(archivesIn(folder)))
    if (name.endsWith(PARTIAL)) await rm(join(archivesIn(folder), name), { recursive: true, force: true });
}

async function removeOldArchives(folder: string, keep: number | null): Promise<void> {
  if (keep === null) return;
  for (const name of (await archiveNames(folder)).slice(0, -keep))
    await rm(join(archivesIn(folder), name), { recursive: true, force: true });
}

/** One backup at a time; the operating system's lock, so that it ends with the process however that ends. */
function lockBackupFolder(folder: string): Disposable {
  const db = new DatabaseSync(join(folder, 'backup.lock'));
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch {
    db.close();
    throw new Error(`Another backup writes to ${folder} just now.`);
  }
  return { [Symbol.dispose]: () => db.close() };
}
