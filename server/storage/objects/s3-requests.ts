import type { ChecksumAlgorithm, S3Client } from '@aws-sdk/client-s3';
import { AppError } from '@teleconsult/protocol';
import { openS3Client, S3_PATIENCE, type S3Patience, type S3Place } from './s3-client.ts';
import { isDamagedOnTheWay, toS3Error } from './s3-errors.ts';

/** What one request is given; passed on to `client.send`. */
export interface S3RequestOptions {
  readonly abortSignal: AbortSignal;
}

type Ask<T> = (client: S3Client, options: S3RequestOptions) => Promise<T>;

/** Every request to one S3 store goes through here: bounded in time, and its errors made those of the catalogue. */
export class S3Requests {
  readonly place: S3Place;
  readonly patience: S3Patience;
  readonly #client: S3Client;

  constructor(place: S3Place, patience: Partial<S3Patience> = {}) {
    this.place = place;
    this.patience = { ...S3_PATIENCE, ...patience };
    this.#client = openS3Client(place, this.patience);
  }

  get bucket(): string {
    return this.place.bucket;
  }

  /** What is asked of S3 beside its own check of the signed bytes. */
  get checksum(): { ChecksumAlgorithm?: ChecksumAlgorithm } {
    const { checksums } = this.place;
    if (checksums === 'off') return {};
    return { ChecksumAlgorithm: checksums === 'sha256' ? 'SHA256' : 'CRC32' };
  }

  /**
   * Asks until there is an answer. The SDK asks again by itself what may be asked again.
   * @throws AppError ABORTED when `signal` says so; STORAGE_UNAVAILABLE, STORAGE_FULL, NOT_FOUND
   */
  async send<T>(ask: Ask<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await this.sendOrThrow(ask, signal);
    } catch (error) {
      throw toS3Error(error);
    }
  }

  /** The same with the client's own errors, for those who tell more of them apart. */
  async sendOrThrow<T>(ask: Ask<T>, signal?: AbortSignal): Promise<T> {
    const { attempts } = this.patience;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(ask, signal);
      } catch (error) {
        // Kept by nobody, so it can be sent again; the SDK takes it for a mistake of the caller and does not.
        if (!isDamagedOnTheWay(error) || attempt >= attempts) throw error;
      }
    }
  }

  close(): void {
    this.#client.destroy();
  }

  /** Also waits no longer than all attempts may take: credentials, pauses and a busy pool have no limit of their own. */
  async #once<T>(ask: Ask<T>, signal: AbortSignal | undefined): Promise<T> {
    const { answerMs, attempts } = this.patience;
    const ended = Promise.withResolvers<never>();
    ended.promise.catch(() => undefined);
    const stop = new AbortController();
    const end = (error: AppError) => {
      stop.abort(error);
      ended.reject(error);
    };
    const onAbort = () => end(new AppError('ABORTED', { cause: signal?.reason }));
    const limit = setTimeout(
      () =>
        end(new AppError('STORAGE_UNAVAILABLE', { cause: new Error('The store did not answer in time.') })),
      answerMs * attempts + 1_000,
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    try {
      // Not `signal` itself: it may live on, and the answer's body must not end with it.
      return await Promise.race([ended.promise, ask(this.#client, { abortSignal: stop.signal })]);
    } finally {
      clearTimeout(limit);
      signal?.removeEventListener('abort', onAbort);
    }
  }
}
