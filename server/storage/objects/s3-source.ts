import { createHash } from 'node:crypto';
import { AppError } from '@teleconsult/protocol';
import { memorySource } from './memory-source.ts';
import type { RandomAccessSource } from './object-store.ts';
import { type FetchedRange, fetchRange, SHA256_NOTE } from './s3-range.ts';
import type { S3Requests } from './s3-requests.ts';

/**
 * Opens one version of an object. Its beginning comes with the first request and is kept, so a small object costs one
 * request, and a sealed one none more for its header. A small one is compared with the SHA-256 its writer noted; ranges
 * of others are checked by the frames they are sealed in.
 * @throws AppError NOT_FOUND, INTEGRITY, STORAGE_UNAVAILABLE
 */
export async function openS3Source(
  requests: S3Requests,
  key: string,
  beginningBytes: number,
): Promise<RandomAccessSource> {
  const wanted = { key, start: 0, endExclusive: beginningBytes, version: null };
  let opened = await fetchRange(requests, wanted);
  // Once more: it may have been damaged on the way, and not in the store.
  if (isDamaged(opened)) opened = await fetchRange(requests, wanted);
  if (isDamaged(opened)) throw new AppError('INTEGRITY', { cause: new Error('Its SHA-256 is another.') });
  const { bytes: beginning, byteSize, version } = opened;
  if (byteSize === beginning.byteLength) return memorySource(beginning);
  return new S3Source(requests, { key, byteSize, version, beginning });
}

/** Only what came whole can be compared. */
const isDamaged = ({ bytes, byteSize, notes }: FetchedRange): boolean =>
  bytes.byteLength === byteSize && notes[SHA256_NOTE] !== undefined && notes[SHA256_NOTE] !== sha256Of(bytes);

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface OpenedObject {
  readonly key: string;
  readonly byteSize: number;
  readonly version: string;
  readonly beginning: Buffer;
}

class S3Source implements RandomAccessSource {
  readonly byteSize: number;
  readonly #requests: S3Requests;
  readonly #object: OpenedObject;
  readonly #closed = new AbortController();

  constructor(requests: S3Requests, object: OpenedObject) {
    this.#requests = requests;
    this.#object = object;
    this.byteSize = object.byteSize;
  }

  async read(start: number, endExclusive: number): Promise<Buffer> {
    if (!(start >= 0 && start <= endExclusive && endExclusive <= this.byteSize))
      throw new RangeError('A read beyond the object.');
    // A range of no bytes cannot be asked for: S3 would answer it with all of them.
    if (start === endExclusive) return Buffer.alloc(0);
    const { beginning, key, version } = this.#object;
    if (endExclusive <= beginning.byteLength) return Buffer.from(beginning.subarray(start, endExclusive));
    const { bytes, byteSize } = await fetchRange(
      this.#requests,
      { key, start, endExclusive, version },
      this.#closed.signal,
    );
    if (byteSize !== this.byteSize)
      throw new AppError('INTEGRITY', { cause: new Error('The object has another size than it had.') });
    return bytes;
  }

  async close(): Promise<void> {
    this.#closed.abort();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
