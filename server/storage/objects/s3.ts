import { DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { AppError } from '@teleconsult/protocol';
import { fixedParts } from './fixed-parts.ts';
import { MAX_OBJECT_KEY_LENGTH, parseObjectKey, parseObjectKeyPrefix } from './object-key.ts';
import type { ObjectStore, PutOptions, RandomAccessSource } from './object-store.ts';
import type { S3Patience, S3Place } from './s3-client.ts';
import { PART_BYTES, putInParts } from './s3-multipart.ts';
import { fetchRange, SHA256_NOTE } from './s3-range.ts';
import { S3Requests } from './s3-requests.ts';
import { openS3Source, sha256Of } from './s3-source.ts';
import { type SweepOptions, UnfinishedUploads } from './s3-unfinished.ts';
import { untilAborted } from './until-aborted.ts';

/** Header and first frame of a sealed object, and all of most thumbnails and short voice messages. */
const BEGINNING_BYTES = 64 * 1024;

export interface S3Options {
  readonly patience?: Partial<S3Patience>;
  /** How much of an object comes with opening it; for tests of ranges. */
  readonly beginningBytes?: number;
}

/**
 * Objects in a bucket of S3, or of a server that speaks it, under `<prefix><key>`.
 *
 * A put holds two parts of 5 MiB at most, however long the object is. A source is bound to the version it opened: when
 * the object is replaced or deleted meanwhile, a small one goes on to be read, and a larger one ends in `NOT_FOUND`.
 * Every request is bounded in time and asked again by the rules of the SDK (`S3Patience`). The bucket must not keep
 * versions: it would keep what was deleted.
 */
export class S3ObjectStore implements ObjectStore {
  readonly #requests: S3Requests;
  readonly #unfinished: UnfinishedUploads;
  readonly #beginningBytes: number;

  /** Asks the store nothing. Whoever made it closes it. */
  constructor(place: S3Place, { patience = {}, beginningBytes = BEGINNING_BYTES }: S3Options = {}) {
    this.#requests = new S3Requests(place, patience);
    this.#unfinished = new UnfinishedUploads(this.#requests);
    this.#beginningBytes = beginningBytes;
  }

  async put(
    key: string,
    bytes: AsyncIterable<Uint8Array>,
    { signal }: PutOptions = {},
  ): Promise<{ byteSize: number }> {
    const name = this.#nameOf(key);
    const parts = fixedParts(untilAborted(bytes, signal), PART_BYTES);
    try {
      const first = await parts.next();
      if (first.done === true) return await this.#putWhole(name, Buffer.alloc(0), signal);
      // A source's failure is thrown while its part is asked for, before anything of the object was sent.
      if (first.value.byteLength < PART_BYTES) return await this.#putWhole(name, first.value, signal);
      const all = withFirst(first.value, parts);
      return await putInParts(this.#requests, {
        key: name,
        parts: all,
        signal,
        abandon: (upload, error) => this.#unfinished.abandon(upload, error),
      });
    } finally {
      await parts.return(undefined);
    }
  }

  async open(key: string): Promise<RandomAccessSource> {
    return await openS3Source(this.#requests, this.#nameOf(key), this.#beginningBytes);
  }

  /** By a range of one byte: the answer to a HEAD has no room to tell a missing object from a missing bucket. */
  async head(key: string): Promise<{ byteSize: number } | null> {
    const wanted = { key: this.#nameOf(key), start: 0, endExclusive: 1, version: null };
    try {
      const { byteSize } = await fetchRange(this.#requests, wanted);
      return { byteSize };
    } catch (error) {
      if (error instanceof AppError && error.code === 'NOT_FOUND') return null;
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    const command = new DeleteObjectCommand({ Bucket: this.#requests.bucket, Key: this.#nameOf(key) });
    try {
      await this.#requests.send((client, options) => client.send(command, options));
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'NOT_FOUND')) throw error;
    }
  }

  async *list(prefix: string): AsyncGenerator<string> {
    const { prefix: own } = this.#requests.place;
    const beginning = own + parseObjectKeyPrefix(prefix);
    for (let token: string | undefined; ; ) {
      const command = new ListObjectsV2Command({
        Bucket: this.#requests.bucket,
        Prefix: beginning,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      const page = await this.#requests.send((client, options) => client.send(command, options));
      // An answer of something that is no S3 would read as an empty list.
      if (page.IsTruncated === undefined) throw noAnswer('This is no list.');
      for (const { Key: name = '' } of page.Contents ?? []) {
        const key = name.slice(own.length);
        if (isObjectKey(key)) yield key;
      }
      token = page.NextContinuationToken;
      if (!page.IsTruncated) return;
      // Without it the list would look complete, and a sweep would take what is missing for lost.
      if (token === undefined || token === '')
        throw new AppError('STORAGE_UNAVAILABLE', {
          cause: new Error('A list that cannot be gone on with.'),
        });
    }
  }

  /**
   * Removes parts of uploads that were never completed: this process's own, and those begun more than a day ago.
   * @returns how many uploads were removed
   * @throws AppError STORAGE_UNAVAILABLE
   */
  async sweepUnfinished(options: SweepOptions): Promise<number> {
    return await this.#unfinished.sweep(options);
  }

  /** What failed a moment ago is tidied up first, within 2 s. Requests under way end unanswered. May be called twice. */
  async close(): Promise<void> {
    await this.#unfinished.close();
    this.#requests.close();
  }

  #nameOf(key: string): string {
    return this.#requests.place.prefix + parseObjectKey(key);
  }

  async #putWhole(
    name: string,
    bytes: Buffer,
    signal: AbortSignal | undefined,
  ): Promise<{ byteSize: number }> {
    const command = new PutObjectCommand({
      Bucket: this.#requests.bucket,
      Key: name,
      Body: bytes,
      ContentType: 'application/octet-stream',
      Metadata: { [SHA256_NOTE]: sha256Of(bytes) },
      ...this.#requests.checksum,
    });
    const { ETag } = await this.#requests.send((client, options) => client.send(command, options), signal);
    if (ETag === undefined) throw noAnswer('The store did not say what it saved.');
    return { byteSize: bytes.byteLength };
  }
}

/** What answers is not S3: a proxy's page, a server of another kind. */
const noAnswer = (what: string) => new AppError('STORAGE_UNAVAILABLE', { cause: new Error(what) });

async function* withFirst(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

/** A bucket may hold what is not ours. */
function isObjectKey(key: string): boolean {
  if (key.length > MAX_OBJECT_KEY_LENGTH) return false;
  try {
    return parseObjectKey(key) === key;
  } catch {
    return false;
  }
}
