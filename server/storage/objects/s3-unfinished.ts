import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { AppError } from '@teleconsult/protocol';
import { abandonUpload, type UploadInParts } from './s3-multipart.ts';
import type { S3Requests } from './s3-requests.ts';

/** What was begun longer ago is a crash's: nobody streams one object for a day, and clocks differ by less. */
const STALE_MS = 24 * 3_600_000;

/** More are found again by their age. */
const MAX_REMEMBERED = 1_000;

/** A server that stops has other things to finish. */
const CLOSE_PATIENCE_MS = 2_000;

export interface SweepOptions {
  readonly now: number;
  readonly staleMs?: number;
  readonly signal?: AbortSignal;
}

/** Uploads in parts that nobody will complete. They are no objects, and yet take room until they are abandoned. */
export class UnfinishedUploads {
  readonly #requests: S3Requests;
  /** What could not be abandoned when it failed, by its id. */
  readonly #remembered = new Map<string, UploadInParts>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #closed = new AbortController();

  constructor(requests: S3Requests) {
    this.#requests = requests;
  }

  /**
   * Abandons what failed. Where the store is not reached nobody waits for that: the error is theirs to have at once.
   */
  async abandon(upload: UploadInParts, error: unknown): Promise<void> {
    const abandoned = abandonUpload(this.#requests, upload, this.#closed.signal)
      .catch(() => {
        if (this.#remembered.size < MAX_REMEMBERED) this.#remembered.set(upload.uploadId, upload);
      })
      .finally(() => this.#underWay.delete(abandoned));
    this.#underWay.add(abandoned);
    if (!(error instanceof AppError && error.code === 'STORAGE_UNAVAILABLE')) await abandoned;
  }

  /**
   * Abandons what was left, by this process or by one that crashed.
   * @returns how many uploads were removed
   * @throws AppError STORAGE_UNAVAILABLE; ABORTED
   */
  async sweep({ now, staleMs = STALE_MS, signal }: SweepOptions): Promise<number> {
    let count = 0;
    for (const upload of this.#remembered.values()) {
      await abandonUpload(this.#requests, upload, signal);
      this.#remembered.delete(upload.uploadId);
      count += 1;
    }
    for await (const upload of this.#begunBefore(now - staleMs, signal)) {
      await abandonUpload(this.#requests, upload, signal);
      count += 1;
    }
    return count;
  }

  /** Lets what is being abandoned finish for a moment; after that it is the next start's. May be called twice. */
  async close(): Promise<void> {
    const patience = setTimeout(() => this.#closed.abort(), CLOSE_PATIENCE_MS);
    await Promise.all(this.#underWay);
    clearTimeout(patience);
  }

  async *#begunBefore(moment: number, signal: AbortSignal | undefined): AsyncGenerator<UploadInParts> {
    let after: { KeyMarker?: string; UploadIdMarker?: string } = {};
    for (;;) {
      const command = new ListMultipartUploadsCommand({
        Bucket: this.#requests.bucket,
        Prefix: this.#requests.place.prefix,
        ...after,
      });
      const page = await this.#requests.send((client, options) => client.send(command, options), signal);
      for (const { Key: key, UploadId: uploadId, Initiated: begun } of page.Uploads ?? [])
        if (key !== undefined && uploadId !== undefined && begun !== undefined && begun.getTime() < moment)
          yield { key, uploadId };
      const { IsTruncated: goesOn, NextKeyMarker: key, NextUploadIdMarker: id } = page;
      if (goesOn !== true || key === undefined || key === '') return;
      after = { KeyMarker: key, ...(id === undefined ? {} : { UploadIdMarker: id }) };
    }
  }
}
