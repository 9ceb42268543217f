import { constants } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@teleconsult/protocol';
import { makeFolder, syncFolder } from '../storage/objects/durable-folder.ts';
import type { RandomAccessSource } from '../storage/objects/object-store.ts';
import { isMissing, toStorageError } from '../storage/objects/storage-error.ts';
import type { AppendFile } from '../vault/sealed-journal.ts';

/** A journal without this ending has its header on disk. */
const NEW = '.new';
/** What nobody knows of is moved here, for the operator to look at. */
const UNKNOWN = 'unknown';

/** The names and bytes of journals on a local disk. Names come from `chunk-names.ts`. */
export interface JournalFolder {
  /** A new file that has its name only once it is published; one that a crash left unpublished is replaced. */
  create(name: string): Promise<AppendFile>;
  publish(name: string): Promise<void>;
  /** Removes one that was created and never published. Removing what is not there succeeds. */
  discard(name: string): Promise<void>;
  list(): Promise<readonly string[]>;
  /** A source of what is there now. @throws AppError NOT_FOUND */
  open(name: string): Promise<RandomAccessSource>;
  /** Removing what is not there succeeds. */
  remove(name: string): Promise<void>;
  /** Moves a file out of the way of everything else, and never over another. */
  setAside(name: string): Promise<void>;
  /** When it was last written; null when it is not there. */
  lastWrittenAt(name: string): Promise<number | null>;
  /** Bytes that may still be written on this disk. */
  room(): Promise<number>;
}

/** A folder for its owner alone. One process at a time may have it open. */
export class DiskJournalFolder implements JournalFolder {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Makes the folder when there is none, and removes what was never published: there is no content in it.
   * @throws AppError STORAGE_FULL, STORAGE_UNAVAILABLE
   */
  static async open(path: string): Promise<DiskJournalFolder> {
    await disk(async () => {
      await makeFolder(path);
      await makeFolder(join(path, UNKNOWN));
      for (const name of await readdir(path)) if (name.endsWith(NEW)) await rm(join(path, name));
    });
    return new DiskJournalFolder(path);
  }

  async create(name: string): Promise<AppendFile> {
    const path = join(this.#path, name + NEW);
    return disk(async () => {
      await rm(path, { force: true });
      const { O_WRONLY, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW } = constants;
      const handle = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW, 0o600);
      return new DiskAppendFile(handle);
    });
  }

  async publish(name: string): Promise<void> {
    await disk(async () => {
      await rename(join(this.#path, name + NEW), join(this.#path, name));
      await syncFolder(this.#path);
    });
  }

  async discard(name: string): Promise<void> {
    await disk(() => rm(join(this.#path, name + NEW), { force: true }));
  }

  async list(): Promise<readonly string[]> {
    const entries = await disk(() => readdir(this.#path, { withFileTypes: true }));
    return entries.filter((entry) => entry.isFile() && !entry.name.endsWith(NEW)).map(({ name }) => name);
  }

  async open(name: string): Promise<RandomAccessSource> {
    try {
      const handle = await open(join(this.#path, name), constants.O_RDONLY | constants.O_NOFOLLOW);
      return await sourceOf(handle);
    } catch (error) {
      throw isMissing(error) ? new AppError('NOT_FOUND') : toStorageError(error);
    }
  }

  /** Not synced: what a power cut brings back says the same as the part that took its place, or was asked to go. */
  async remove(name: string): Promise<void> {
    await disk(() => rm(join(this.#path, name), { force: true }));
  }

  async setAside(name: string): Promise<void> {
    await disk(() => rename(join(this.#path, name), join(this.#path, UNKNOWN, `${Date.now()}.${name}`)));
  }

  async lastWrittenAt(name: string): Promise<number | null> {
    try {
      return Math.round((await stat(join(this.#path, name))).mtimeMs);
    } catch (error) {
      if (isMissing(error)) return null;
      throw toStorageError(error);
    }
  }

  async room(): Promise<number> {
    const { bavail, bsize } = await disk(() => statfs(this.#path));
    return bavail * bsize;
  }
}

class DiskAppendFile implements AppendFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async append(bytes: Uint8Array): Promise<void> {
    let written = 0;
    while (written < bytes.byteLength) written += (await this.#handle.write(bytes, written)).bytesWritten;
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

async function sourceOf(handle: FileHandle): Promise<RandomAccessSource> {
  try {
    const byteSize = (await handle.stat()).size;
    const close = () => handle.close();
    return {
      byteSize,
      async read(start, endExclusive) {
        if (!(start >= 0 && start <= endExclusive && endExclusive <= byteSize))
          throw new RangeError('A read beyond the journal.');
        const bytes = Buffer.allocUnsafeSlow(endExclusive - start);
        let filled = 0;
        while (filled < bytes.byteLength) {
          const left = bytes.byteLength - filled;
          const { bytesRead } = await disk(() => handle.read(bytes, filled, left, start + filled));
          if (bytesRead === 0) throw new AppError('INTEGRITY');
          filled += bytesRead;
        }
        return bytes;
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function disk<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw toStorageError(error);
  }
}
