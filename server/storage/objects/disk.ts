import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@teleconsult/protocol';
import { makeFolder, syncFolder } from './durable-folder.ts';
import { parseObjectKey, parseObjectKeyPrefix } from './object-key.ts';
import type { ObjectStore, PutOptions, RandomAccessSource } from './object-store.ts';
import { isMissing, toStorageError } from './storage-error.ts';
import { untilAborted } from './until-aborted.ts';

/** One folder holds a 256th of the objects: a million objects are four thousand names a folder. */
const SHARDS = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'));

/** Objects that are not complete yet. Whatever is found in here at the start is left over from a crash. */
const INCOMING = 'incoming';

/**
 * Objects as files: `<root>/<shard>/<key, with "." for "/">`. A file is written under another name, flushed to the
 * disk, and only then given its own.
 */
export class DiskObjectStore implements ObjectStore {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /**
   * Opens a folder as a store, making it (for its owner alone) when there is none, and removes what a crash left
   * incomplete. One process at a time may have a folder open.
   * @throws AppError STORAGE_FULL, STORAGE_UNAVAILABLE
   */
  static async open(root: string): Promise<DiskObjectStore> {
    try {
      await makeFolder(root);
      for (const folder of [INCOMING, ...SHARDS])
        await mkdir(join(root, folder), { recursive: true, mode: 0o700 });
      for (const name of await readdir(join(root, INCOMING))) await rm(join(root, INCOMING, name));
      await syncFolder(root);
    } catch (error) {
      throw toStorageError(error);
    }
    return new DiskObjectStore(root);
  }

  /** A folder that another process may have open, to read from: nothing is made and nothing removed. */
  static beside(root: string): DiskObjectStore {
    return new DiskObjectStore(root);
  }

  async put(
    key: string,
    bytes: AsyncIterable<Uint8Array>,
    { signal }: PutOptions = {},
  ): Promise<{ byteSize: number }> {
    const place = this.#placeOf(key);
    const incoming = join(this.#root, INCOMING, randomBytes(16).toString('hex'));
    try {
      const byteSize = await writeWhole(incoming, bytes, signal);
      await disk(async () => {
        await rename(incoming, place.file);
        await syncFolder(place.folder);
      });
      return { byteSize };
    } catch (error) {
      // After the rename there is nothing to remove; a file that cannot be removed now goes at the next start.
      await rm(incoming, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  async open(key: string): Promise<RandomAccessSource> {
    const { file } = this.#placeOf(key);
    try {
      const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
      return await DiskSource.of(handle);
    } catch (error) {
      throw isMissing(error) ? new AppError('NOT_FOUND') : toStorageError(error);
    }
  }

  async head(key: string): Promise<{ byteSize: number } | null> {
    const { file } = this.#placeOf(key);
    try {
      return { byteSize: (await stat(file)).size };
    } catch (error) {
      if (isMissing(error)) return null;
      throw toStorageError(error);
    }
  }

  async delete(key: string): Promise<void> {
    const { file, folder } = this.#placeOf(key);
    try {
      await unlink(file);
      await syncFolder(folder);
    } catch (error) {
      if (!isMissing(error)) throw toStorageError(error);
    }
  }

  async *list(prefix: string): AsyncGenerator<string> {
    const beginning = fileNameOf(parseObjectKeyPrefix(prefix));
    for (const shard of SHARDS) {
      const names = await disk(() => readdir(join(this.#root, shard)));
      for (const name of names) if (name.startsWith(beginning)) yield name.replaceAll('.', '/');
    }
  }

  #placeOf(key: string): { folder: string; file: string } {
    const name = fileNameOf(parseObjectKey(key));
    const shard = createHash('sha256').update(name).digest('hex').slice(0, 2);
    const folder = join(this.#root, shard);
    return { folder, file: join(folder, name) };
  }
}

/** The alphabet of keys has no dot, so this can be undone. */
const fileNameOf = (key: string): string => key.replaceAll('/', '.');

class DiskSource implements RandomAccessSource {
  readonly byteSize: number;
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle, byteSize: number) {
    this.#handle = handle;
    this.byteSize = byteSize;
  }

  static async of(handle: FileHandle): Promise<DiskSource> {
    try {
      return new DiskSource(handle, (await handle.stat()).size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async read(start: number, endExclusive: number): Promise<Buffer> {
    if (!(start >= 0 && start <= endExclusive && endExclusive <= this.byteSize))
      throw new RangeError('A read beyond the object.');
    const bytes = Buffer.allocUnsafeSlow(endExclusive - start);
    let filled = 0;
    while (filled < bytes.byteLength) {
      const { bytesRead } = await disk(() =>
        this.#handle.read(bytes, filled, bytes.byteLength - filled, start + filled),
      );
      if (bytesRead === 0) throw new AppError('INTEGRITY', { cause: new Error('The file became shorter.') });
      filled += bytesRead;
    }
    return bytes;
  }

  /** A FileHandle may be closed twice. */
  close(): Promise<void> {
    return this.#handle.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Writes a new file and flushes it. After a failed flush nothing is tried again: the pages may be gone already. */
async function writeWhole(
  file: string,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const handle = await disk(() => open(file, 'wx', 0o600));
  try {
    let byteSize = 0;
    for await (const chunk of untilAborted(bytes, signal)) {
      await disk(() => writeAll(handle, chunk));
      byteSize += chunk.byteLength;
    }
    await disk(() => handle.sync());
    return byteSize;
  } catch (error) {
    if (signal?.aborted) throw new AppError('ABORTED', { cause: error });
    throw error;
  } finally {
    await handle.close().catch(() => undefined);
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  let written = 0;
  while (written < chunk.byteLength) written += (await handle.write(chunk, written)).bytesWritten;
}

async function disk<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw toStorageError(error);
  }
}
