import type { RandomAccessSource } from './object-store.ts';

/** Bytes at hand as a source, copied out read by read. */
export function memorySource(bytes: Uint8Array): RandomAccessSource {
  const { byteLength } = bytes;
  const close = async () => undefined;
  return {
    byteSize: byteLength,
    async read(start, endExclusive) {
      if (!(start >= 0 && start <= endExclusive && endExclusive <= byteLength))
        throw new RangeError('A read beyond the object.');
      return Buffer.from(bytes.subarray(start, endExclusive));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
