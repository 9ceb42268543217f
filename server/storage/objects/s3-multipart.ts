import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { AppError } from '@teleconsult/protocol';
import { isNoUpload, toS3Error } from './s3-errors.ts';
import { fetchRange } from './s3-range.ts';
import type { S3Requests } from './s3-requests.ts';

/** S3's smallest part. Two are held at a time: one that is on its way, and one that is being filled. */
export const PART_BYTES = 5 * 1024 * 1024;

/** S3 takes no more: an object of 52 GB, some weeks of pictures of a call. */
const MAX_PARTS = 10_000;

/** An upload that was begun. Until it is completed or abandoned the store keeps its parts, and charges for them. */
export interface UploadInParts {
  readonly key: string;
  readonly uploadId: string;
}

interface PutInParts {
  readonly key: string;
  readonly parts: AsyncIterable<Buffer>;
  readonly signal: AbortSignal | undefined;
  /** Is given what could not be completed, once no request of it is under way. */
  readonly abandon: (upload: UploadInParts, error: unknown) => Promise<void>;
}

/**
 * Puts an object in parts; it is there once the last request is answered. The SDK's own `Upload` is not used: it
 * abandons an upload while parts are still on their way, and one that arrives afterwards stays.
 */
export async function putInParts(
  requests: S3Requests,
  { key, parts, signal, abandon }: PutInParts,
): Promise<{ byteSize: number }> {
  const upload = await begin(requests, key, signal);
  const sent: CompletedPart[] = [];
  let byteSize = 0;
  let onItsWay: Promise<void> = Promise.resolve();
  try {
    for await (const part of parts) {
      await onItsWay;
      const number = sent.length + 1;
      if (number > MAX_PARTS)
        throw new AppError('STORAGE_FULL', { cause: new Error('More than 10,000 parts.') });
      byteSize += part.byteLength;
      const answered = sendPart(requests, { upload, number, part, signal });
      onItsWay = answered.then((completed) => void sent.push(completed));
      onItsWay.catch(() => undefined);
    }
    await onItsWay;
    await complete(requests, { upload, sent, byteSize, signal });
    return { byteSize };
  } catch (error) {
    await onItsWay.catch(() => undefined);
    await abandon(upload, error);
    throw error;
  }
}

/** Removes an upload and its parts. One that is gone is removed. */
export async function abandonUpload(
  requests: S3Requests,
  { key, uploadId }: UploadInParts,
  signal?: AbortSignal,
): Promise<void> {
  const command = new AbortMultipartUploadCommand({ Bucket: requests.bucket, Key: key, UploadId: uploadId });
  try {
    await requests.sendOrThrow((client, options) => client.send(command, options), signal);
  } catch (error) {
    if (!isNoUpload(error)) throw toS3Error(error);
  }
}

async function begin(
  requests: S3Requests,
  key: string,
  signal: AbortSignal | undefined,
): Promise<UploadInParts> {
  const command = new CreateMultipartUploadCommand({
    Bucket: requests.bucket,
    Key: key,
    ...requests.checksum,
  });
  const { UploadId: uploadId } = await requests.send(
    (client, options) => client.send(command, options),
    signal,
  );
  if (uploadId === undefined)
    throw new AppError('STORAGE_UNAVAILABLE', { cause: new Error('The store gave no name to the upload.') });
  return { key, uploadId };
}

async function sendPart(
  requests: S3Requests,
  {
    upload,
    number,
    part,
    signal,
  }: { upload: UploadInParts; number: number; part: Buffer; signal: AbortSignal | undefined },
): Promise<CompletedPart> {
  const command = new UploadPartCommand({
    Bucket: requests.bucket,
    Key: upload.key,
    UploadId: upload.uploadId,
    PartNumber: number,
    Body: part,
    ...requests.checksum,
  });
  const answer = await requests.send((client, options) => client.send(command, options), signal);
  const { ETag, ChecksumCRC32, ChecksumSHA256 } = answer;
  if (ETag === undefined)
    throw new AppError('STORAGE_UNAVAILABLE', { cause: new Error('The store did not say what it saved.') });
  return {
    PartNumber: number,
    ETag,
    ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }),
    ...(ChecksumSHA256 === undefined ? {} : { ChecksumSHA256 }),
  };
}

interface AllSent {
  readonly upload: UploadInParts;
  readonly sent: readonly CompletedPart[];
  readonly byteSize: number;
  readonly signal: AbortSignal | undefined;
}

async function complete(requests: S3Requests, { upload, sent, byteSize, signal }: AllSent): Promise<void> {
  const command = new CompleteMultipartUploadCommand({
    Bucket: requests.bucket,
    Key: upload.key,
    UploadId: upload.uploadId,
    MultipartUpload: { Parts: [...sent] },
  });
  try {
    await requests.sendOrThrow((client, options) => client.send(command, options), signal);
  } catch (error) {
    // An answer that was lost: asked again, the store no longer knows the upload, and has the object.
    if (isNoUpload(error) && (await isThere(requests, { upload, sent, byteSize, signal }))) return;
    if (isNoUpload(error)) throw new AppError('STORAGE_UNAVAILABLE', { cause: error });
    throw toS3Error(error);
  }
}

/** Whether the object of these parts, and no other, is in its place: the version of one is made of its parts' own. */
async function isThere(requests: S3Requests, { upload, sent, byteSize, signal }: AllSent): Promise<boolean> {
  const parts = sent.map(({ ETag = '' }) => Buffer.from(ETag.replaceAll('"', ''), 'hex'));
  const expected = `${createHash('md5').update(Buffer.concat(parts)).digest('hex')}-${sent.length}`;
  const wanted = { key: upload.key, start: 0, endExclusive: 1, version: null };
  const found = await fetchRange(requests, wanted, signal).catch(() => null);
  return found?.byteSize === byteSize && found.version.replaceAll('"', '') === expected;
}
