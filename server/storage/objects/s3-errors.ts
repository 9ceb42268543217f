import { AppError } from '@teleconsult/protocol';

/** AWS has no quota. Ceph and the appliances answer one of these, or 507, when there is no room. */
const FULL = new Set([
  'QuotaExceeded',
  'InsufficientStorage',
  'InsufficientCapacity',
  'XMinioStorageFull',
  'EntityTooLarge',
]);

/** The store got other bytes than were sent, noticed it by the checksum, and kept nothing. */
const DAMAGED_ON_THE_WAY = new Set([
  'BadDigest',
  'InvalidDigest',
  'XAmzContentSHA256Mismatch',
  'XAmzContentChecksumMismatch',
]);

const OBJECT_MISSING = new Set(['NoSuchKey', 'NotFound']);

/** What an S3 client's error says, as far as anybody decides by it. */
export function s3Answer(error: unknown): { name: string; status: number | undefined } {
  if (!(error instanceof Error)) return { name: '', status: undefined };
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? metadata.httpStatusCode
      : undefined;
  return { name: error.name, status: typeof status === 'number' ? status : undefined };
}

export const isDamagedOnTheWay = (error: unknown): boolean => DAMAGED_ON_THE_WAY.has(s3Answer(error).name);

/** The answer to a range that begins behind the last byte: for a range from 0, that the object is empty. */
export const isBeyondTheEnd = (error: unknown): boolean => s3Answer(error).status === 416;

/** There is no such upload in parts (any more). */
export const isNoUpload = (error: unknown): boolean => s3Answer(error).name === 'NoSuchUpload';

/**
 * What an error of an S3 store means to a caller. A missing bucket, refused keys and a wrong region are the
 * operator's to mend and may be tried again: never are they a missing object.
 */
export function toS3Error(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { name, status } = s3Answer(error);
  if (FULL.has(name) || status === 507) return new AppError('STORAGE_FULL', { cause: error });
  if (OBJECT_MISSING.has(name)) return new AppError('NOT_FOUND', { cause: error });
  // `If-Match` failed: another object has taken the place of the one that was opened, which is no more.
  if (status === 412) return new AppError('NOT_FOUND', { cause: error });
  return new AppError('STORAGE_UNAVAILABLE', { cause: error });
}
