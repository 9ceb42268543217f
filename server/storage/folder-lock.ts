import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** SQLite's code (https://sqlite.org/rescode.html) for what somebody else has locked. */
const BUSY = 5;

/** Another process holds the folder. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
}

/** Whether a lock was refused because somebody has it, and not because its file cannot be written. */
export const isHeldByAnother = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && error.errcode === BUSY;

/**
 * Keeps a second server off a data folder: two would each believe to own every consultation. The lock is one of the
 * operating system's, taken through SQLite, so that it ends with the process however that ends.
 */
export class FolderLock {
  readonly #db: DatabaseSync;

  /** @throws FolderInUseError when another process holds the folder; Error when it cannot be locked */
  constructor(folder: string) {
    const path = join(folder, 'server.lock');
    try {
      this.#db = new DatabaseSync(path);
    } catch (error) {
      throw new Error(`${path} cannot be opened: is there such a folder, and is it this user's?`, {
        cause: error,
      });
    }
    try {
      // A command that only asks whether a server runs holds it for a moment.
      this.#db.exec('PRAGMA busy_timeout = 500; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    } catch (error) {
      this.#db.close();
      if (!isHeldByAnother(error))
        throw new Error(`${path} cannot be locked: is it this user's, and the disk writable?`, {
          cause: error,
        });
      throw new FolderInUseError(
        `Another server uses the data folder ${folder}. Stop it, or give this one a folder of its own.`,
      );
    }
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }
}
