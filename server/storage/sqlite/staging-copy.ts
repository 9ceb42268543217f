import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';

/** All pages in one step: a copy in several begins again whenever the server writes in between. */
const ALL_PAGES = 2 ** 31 - 1;

const folderIn = (dataFolder: string): string => join(dataFolder, 'backup-staging');

/**
 * Copies a database, as it is at one moment, into its data folder, and hands the copy out. It holds the wrapped keys, so
 * it is nowhere but beside the original, and gone afterwards; what a kill left of one is removed by the next, and by
 * `removeStaleCopy`.
 * @throws Error when another copy is being worked with
 */
export async function withStagingCopy(
  source: DatabaseSync,
  dataFolder: string,
  use: (copy: DatabaseSync) => void,
): Promise<void> {
  using lock = tryLock(dataFolder);
  if (lock === null) throw new Error('Another backup of this data folder is under way.');
  const staging = folderIn(dataFolder);
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { mode: 0o700 });
  try {
    const path = join(staging, 'copy.db');
    await backup(source, path, { rate: ALL_PAGES });
    await chmod(path, 0o600);
    const copy = new DatabaseSync(path);
    try {
      use(copy);
    } finally {
      copy.close();
    }
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Removes a copy that a kill has left: what is erased must not live on in it. One that is in use stays. */
export async function removeStaleCopy(dataFolder: string): Promise<void> {
  using lock = tryLock(dataFolder);
  if (lock !== null) await rm(folderIn(dataFolder), { recursive: true, force: true });
}

/** The operating system's lock, taken through SQLite, so that it ends with the process however that ends. */
function tryLock(dataFolder: string): Disposable | null {
  const db = new DatabaseSync(join(dataFolder, 'backup.lock'));
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return { [Symbol.dispose]: () => db.close() };
  } catch {
    db.close();
    return null;
  }
}
