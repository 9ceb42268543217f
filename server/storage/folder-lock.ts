import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Keeps a second server off a data folder: two would each believe to own every consultation. The lock is one of the
 * operating system's, taken through SQLite, so that it ends with the process however that ends.
 */
export class FolderLock {
  readonly #db: DatabaseSync;

  /** Throws when another process holds the folder. */
  constructor(folder: string) {
    this.#db = new DatabaseSync(join(folder, 'server.lock'));
    try {
      // A command that only asks whether a server runs holds it for a moment.
      this.#db.exec('PRAGMA busy_timeout = 500; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    } catch {
      this.#db.close();
      throw new Error(
        `Another server uses the data folder ${folder}. Stop it, or give this one a folder of its own.`,
      );
    }
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }
}
