import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isHeldByAnother } from '../storage/folder-lock.ts';
import { makeFolder } from '../storage/objects/durable-folder.ts';
import { VaultError } from './vault-error.ts';

/**
 * Keeps two commands from changing one key file at once: the later would undo the earlier. Like the lock of a data
 * folder it is one of the operating system's, taken through SQLite, so that it ends with the process however that ends.
 * @throws VaultError KEY_FILE_UNAVAILABLE when another process holds it
 */
export async function lockKeyFile(path: string): Promise<Disposable> {
  await makeFolder(dirname(path));
  const db = new DatabaseSync(`${path}.lock`);
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    const why = isHeldByAnother(error)
      ? 'Another command is changing the key file just now.'
      : `${path}.lock cannot be locked: is it this user's, and the disk writable?`;
    throw new VaultError('KEY_FILE_UNAVAILABLE', why, { cause: error });
  }
  return { [Symbol.dispose]: () => db.close() };
}
