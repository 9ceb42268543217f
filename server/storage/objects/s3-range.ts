import { setTimeout as pause } from 'node:timers/promises';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { AppError } from '@teleconsult/protocol';
import { isBeyondTheEnd, toS3Error } from './s3-errors.ts';
import type { S3Requests } from './s3-requests.ts';

export interface RangeWanted {
  readonly key: string;
  readonly start: number;
  readonly endExclusive: number;
  /** The version the range must be of; null takes the present one. */
  readonly version: string | null;
}

export interface FetchedRange {
  /** Shorter than asked for where the object ends before. */
  readonly bytes: Buffer;
  /** Of the whole object. */
  readonly byteSize: number;
  readonly version: string;
  /** What the writer noted, see `SHA256_NOTE`. */
  readonly notes: Readonly<Record<string, string>>;
}

/** The note under which an object written in one piece carries the SHA-256 of its bytes, in hex. */
export const SHA256_NOTE = 'sha256';

const PAUSE_MS = 100;

/**
 * Bytes of one version of an object. An answer that breaks off is gone on with where it broke off: a long range over
 * a bad line is not begun anew.
 * @throws AppError NOT_FOUND when there is no such object, or no longer that version of it; INTEGRITY when the
 *   store's answer does not fit the question; STORAGE_UNAVAILABLE
 */
export async function fetchRange(
  requests: S3Requests,
  wanted: RangeWanted,
  signal?: AbortSignal,
): Promise<FetchedRange> {
  const chunks: Buffer[] = [];
  let filled = 0;
  let found: Omit<FetchedRange, 'bytes'> | null = null;
  for (let failures = 0; ; ) {
    const before = filled;
    try {
      const version = found?.version ?? wanted.version;
      const answer = await ask(requests, { ...wanted, start: wanted.start + filled, version }, signal);
      if (answer === 'empty')
        return { bytes: Buffer.alloc(0), byteSize: 0, version: version ?? '', notes: {} };
      found = answer.found;
      const expected = Math.min(wanted.endExclusive, found.byteSize) - wanted.start;
      for await (const chunk of within(answer.body, requests.patience.idleMs, signal)) {
        chunks.push(chunk);
        filled += chunk.byteLength;
        if (filled > expected)
          throw new AppError('INTEGRITY', { cause: new Error('More bytes than asked for.') });
      }
      if (filled === expected) return { bytes: Buffer.concat(chunks, filled), ...found };
      throw new Error('The answer broke off.');
    } catch (error) {
      // An AppError is an answer, or was asked for often enough.
      if (error instanceof AppError) throw error;
      failures = filled > before ? 1 : failures + 1;
      if (failures >= requests.patience.attempts) throw toS3Error(error);
      await pause(PAUSE_MS * 2 ** failures);
      if (signal?.aborted) throw new AppError('ABORTED', { cause: error });
    }
  }
}

async function ask(requests: S3Requests, wanted: RangeWanted, signal: AbortSignal | undefined) {
  const { key, start, endExclusive, version } = wanted;
  const command = new GetObjectCommand({
    Bucket: requests.bucket,
    Key: key,
    Range: `bytes=${start}-${endExclusive - 1}`,
    ...(version === null ? {} : { IfMatch: version }),
  });
  try {
    const answer = await requests.sendOrThrow((client, options) => client.send(command, options), signal);
    const { Body: body, ETag: etag, Metadata: notes = {} } = answer;
    if (body === undefined || !isByteStream(body)) throw misfit('It has no body.');
    const place = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.ContentRange ?? '');
    if (etag === undefined) {
      body.destroy();
      // What answers is not S3: a proxy's page, a server of another kind.
      throw new AppError('STORAGE_UNAVAILABLE', { cause: new Error('This is no object.') });
    }
    // A server may answer a range from 0 with the whole object.
    const from = place === null ? 0 : Number(place[1]);
    const byteSize = place === null ? answer.ContentLength : Number(place[2]);
    if (byteSize === undefined || from !== start) {
      body.destroy();
      throw misfit('It is another range than was asked for.');
    }
    // For servers that do not know If-Match.
    if (version !== null && etag !== version) {
      body.destroy();
      throw new AppError('NOT_FOUND', { cause: new Error('Another object has taken its place.') });
    }
    return { body, found: { byteSize, version: etag, notes } };
  } catch (error) {
    if (isBeyondTheEnd(error)) {
      if (start === 0) return 'empty';
      throw misfit('The object became shorter.');
    }
    throw toS3Error(error);
  }
}

const misfit = (what: string) => new AppError('INTEGRITY', { cause: new Error(what) });

type ByteStream = AsyncIterable<Buffer> & { destroy(error?: Error): unknown };

/** In Node the SDK's body is a stream; its type names those of browsers too. */
const isByteStream = (body: object): body is ByteStream =>
  Symbol.asyncIterator in body && 'destroy' in body && typeof body.destroy === 'function';

/** The chunks of a body, none of which may take longer than `idleMs`. */
async function* within(
  body: ByteStream,
  idleMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const giveUp = () => body.destroy(new AppError('ABORTED', { cause: signal?.reason }));
  const idle = setTimeout(() => body.destroy(new Error('The answer stalled.')), idleMs);
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    if (signal?.aborted) giveUp();
    for await (const chunk of body) {
      idle.refresh();
      yield chunk;
    }
  } finally {
    clearTimeout(idle);
    signal?.removeEventListener('abort', giveUp);
    body.destroy();
  }
}
