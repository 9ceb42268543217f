import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { AppError } from '@teleconsult/protocol';
import type { RandomAccessSource } from '../storage/objects/object-store.ts';
import { isMissing, toStorageError } from '../storage/objects/storage-error.ts';

/**
 * A file as it is now, also one that another process appends to: what comes later is not seen.
 * @throws AppError NOT_FOUND, STORAGE_UNAVAILABLE
 */
export async function openFile(path: string): Promise<RandomAccessSource> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    throw isMissing(error) ? new AppError('NOT_FOUND') : toStorageError(error);
  });
  const close = () => handle.close();
  const { size: byteSize } = await handle.stat();
  return {
    byteSize,
    async read(start, endExclusive) {
      if (!(start >= 0 && start <= endExclusive && endExclusive <= byteSize))
        throw new RangeError('A read beyond the file.');
      const bytes = Buffer.allocUnsafeSlow(endExclusive - start);
      for (let filled = 0; filled < bytes.byteLength; ) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.byteLength - filled, start + filled);
        if (bytesRead === 0)
          throw new AppError('INTEGRITY', { cause: new Error('The file became shorter.') });
        filled += bytesRead;
      }
      return bytes;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
