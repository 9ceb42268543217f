import type { AttachmentId, AttachmentStatus, ConsultationId } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { type DetailedError, Upload } from 'tus-js-client';
import { delayOf, fullJitter, retryDelay } from './backoff.ts';
import type { UploadInput } from './drafts.ts';
import { type Http, problemFrom } from './http.ts';
import type { Lifetime } from './lifetime.ts';
import { type Signalling, toAppError } from './requests.ts';
import type { TokenSource } from './token-source.ts';
import { blobReader } from './upload-source.ts';

export interface UploadRequest {
  readonly consultationId: ConsultationId;
  readonly input: UploadInput;
  /** Where an earlier try got to; null for the first. */
  readonly from: UploadProgress | null;
  /** Ends the upload. What has arrived at the server stays there until the server forgets it. */
  readonly life: Lifetime;
  readonly onProgress: (progress: UploadProgress) => void;
}

export interface UploadProgress {
  /** The tus upload (its `Location`); null until the server has made one. */
  readonly uploadUrl: string | null;
  /** 0 to 1. */
  readonly share: number;
}

export interface UploadsOptions {
  readonly http: Http;
  readonly tokens: TokenSource;
  readonly signalling: Signalling;
}

/** A lost chunk costs at most this many bytes again, and a phone never holds more in memory. */
const CHUNK_BYTES = 1024 * 1024;
/** How many attachments of a client travel at once. More would only share the same uplink. */
const MAX_PARALLEL = 2;
/** Renewed tokens that may be refused in a row before an upload fails. */
const MAX_TOKEN_RENEWALS = 2;
/** A transfer that moved nothing for so long hangs on a dead connection, and is begun anew. */
const STALLED_AFTER_MS = 30_000;
/** Between looks at an attachment that the server is still checking. */
const statusDelay = fullJitter({ firstMs: 100, baseMs: 300, capMs: 2_000 });

/**
 * Brings attachments to the server with the tus protocol 1.0, over any number of losses: an upload goes on where
 * it stopped, with a fresh token if need be, until it has arrived or the server refuses it.
 */
export class Uploads {
  readonly #options: UploadsOptions;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  /** Resolves when the attachment is ready to be sent. Rejects with why it never will be. */
  async upload(request: UploadRequest): Promise<AttachmentId> {
    await this.#turn(request.life);
    try {
      return await this.#uploadNow(request);
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #turn(life: Lifetime): Promise<void> {
    while (this.#running >= MAX_PARALLEL) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      try {
        await life.within(promise);
      } catch (error) {
        const index = this.#waiting.indexOf(resolve);
        // Woken and ended at the same time: the turn belongs to the next.
        if (index === -1) this.#waiting.shift()?.();
        else this.#waiting.splice(index, 1);
        throw error;
      }
    }
    this.#running += 1;
  }

  async #uploadNow(request: UploadRequest): Promise<AttachmentId> {
    const { life } = request;
    const uploadUrl = this.#ownUrl(request.from);
    const transfer: Transfer = { ...request, uploadUrl, acceptedBytes: 0, renewals: 0 };
    for (let attempt = 1; ; attempt += 1) {
      await life.within(requireReadable(request.input.data));
      const acceptedBefore = transfer.acceptedBytes;
      const status = await this.#tryOnce(transfer);
      if (status?.status === 'ready') return status.attachmentId;
      if (status?.status === 'refused') {
        // These bytes will not be taken. A retry by the app begins with none of them.
        request.onProgress({ uploadUrl: null, share: 0 });
        throw new AppError(status.code, { detail: status.detail });
      }
      // Something arrived, so the line works, and the next loss is a first one.
      if (transfer.acceptedBytes > acceptedBefore) {
        attempt = 1;
        transfer.renewals = 0;
      }
      await life.wait(delayOf(retryDelay, attempt), {
        wake: (wakeUp) => this.#options.signalling.onConnected(wakeUp),
      });
    }
  }

  /** The token is sent to no other server, whatever was kept on the device. */
  #ownUrl(from: UploadProgress | null): string | null {
    const uploadUrl = from?.uploadUrl ?? null;
    return uploadUrl?.startsWith(`${this.#options.http.origin}/`) === true ? uploadUrl : null;
  }

  /**
   * What the server made of the upload; `processing` when it lost a part of it, which it then gets again. Null after
   * a failure that time may mend.
   */
  async #tryOnce(transfer: Transfer): Promise<AttachmentStatus | null> {
    const { tokens } = this.#options;
    try {
      const uploadUrl = await this.#transfer(transfer);
      return await this.#settled(transfer, lastSegment(uploadUrl));
    } catch (thrown) {
      const error = toAppError(thrown);
      if (transfer.life.over) throw error;
      if (error.code !== 'TOKEN_EXPIRED') transfer.renewals = 0;
      else if (tokens.canRenew && transfer.renewals < MAX_TOKEN_RENEWALS) {
        transfer.renewals += 1;
        await transfer.life.within(tokens.renew()).catch(() => {});
        return null;
      }
      if (!error.retryable) throw error;
      return null;
    }
  }

  /** One try to bring over what is missing. Resolves with the upload's URL when all of it has arrived. */
  async #transfer(transfer: Transfer): Promise<string> {
    const { life, input, consultationId, uploadUrl, onProgress } = transfer;
    const { http, tokens } = this.#options;
    const token = await life.within(tokens.current());
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const stall = new StallTimer(() => reject(new AppError('TIMEOUT')));
    const upload = new Upload(input.data, {
      // After any failure to resume, tus-js-client begins a new upload, unless it is told no place to begin one.
      ...(uploadUrl === null ? { endpoint: `${http.origin}/v1/uploads` } : { uploadUrl }),
      metadata: {
        consultationId,
        kind: input.kind,
        fileName: input.fileName,
        contentType: input.contentType,
      },
      headers: { Authorization: `Bearer ${token}` },
      chunkSize: CHUNK_BYTES,
      fileReader: blobReader,
      // Retrying is done here, where the state of the connection is known.
      retryDelays: null,
      storeFingerprintForResuming: false,
      fingerprint: () => Promise.resolve(''),
      onUploadUrlAvailable: () => {
        if (upload.url === transfer.uploadUrl) return;
        transfer.uploadUrl = upload.url;
        // Told before any byte has gone: from now on a reload can go on there.
        onProgress({ uploadUrl: upload.url, share: 0 });
      },
      onProgress: (sentBytes, totalBytes) => {
        stall.restart();
        onProgress({ uploadUrl: transfer.uploadUrl, share: sentBytes / totalBytes });
      },
      onChunkComplete: (_chunkBytes, acceptedBytes) => {
        transfer.acceptedBytes = acceptedBytes;
      },
      onSuccess: () => resolve(upload.url ?? ''),
      onError: reject,
    });
    upload.start();
    try {
      return await life.within(promise);
    } catch (error) {
      await upload.abort();
      throw life.over || error instanceof AppError ? error : this.#explain(error, transfer);
    } finally {
      stall.stop();
    }
  }

  /** Turns what tus reports into an error of the catalogue, and forgets an upload that the server has forgotten. */
  #explain(error: unknown, transfer: Transfer): AppError {
    const response = responseOf(error);
    if (response === null) return new AppError('DISCONNECTED', { cause: error });
    const { status, body, method } = response;
    const refusal = problemFrom(status, body);
    // The answer to HEAD has no body that could say that the token is merely too old.
    if (status === 401) return method === 'HEAD' ? new AppError('TOKEN_EXPIRED', { cause: error }) : refusal;
    if (method === 'POST') return refusal;
    // tus answers 404 or 410 for an upload that has expired, 409 and 423 for one that another request still holds.
    if (status === 404 || status === 410) {
      transfer.uploadUrl = null;
      return new AppError('DISCONNECTED', { cause: refusal });
    }
    return status === 409 || status === 423 ? new AppError('DISCONNECTED', { cause: refusal }) : refusal;
  }

  /** Waits until the server has checked what arrived, or says that it has not all of it. */
  async #settled({ consultationId, life }: UploadRequest, attachmentId: string): Promise<AttachmentStatus> {
    const path = `/v1/consultations/${consultationId}/attachments/${attachmentId}`;
    for (let look = 1; ; look += 1) {
      const status = (await this.#options.http.getJson(path, { life })) as AttachmentStatus;
      if (status.status !== 'processing' || status.receivedBytes < status.byteSize) return status;
      await life.wait(delayOf(statusDelay, look));
    }
  }
}

/** An upload while it travels. */
interface Transfer extends UploadRequest {
  uploadUrl: string | null;
  acceptedBytes: number;
  /** Tokens in a row that were asked for because the one before was refused. */
  renewals: number;
}

class StallTimer {
  readonly #onStall: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onStall: () => void) {
    this.#onStall = onStall;
    this.restart();
  }

  restart(): void {
    this.stop();
    this.#timer = setTimeout(this.#onStall, STALLED_AFTER_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

interface TusResponse {
  readonly status: number;
  readonly body: string;
  readonly method: string;
}

function responseOf(error: unknown): TusResponse | null {
  if (!(error instanceof Error) || !('originalResponse' in error)) return null;
  const { originalResponse, originalRequest } = error as DetailedError;
  if (!originalResponse) return null;
  return {
    status: originalResponse.getStatus(),
    body: originalResponse.getBody(),
    method: originalRequest.getMethod(),
  };
}

/** A file that was moved or a Blob that the browser has lost fails now: later it would look like a lost connection. */
async function requireReadable(data: Blob): Promise<void> {
  try {
    await data.slice(0, 1).arrayBuffer();
  } catch (cause) {
    throw new AppError('UNSUPPORTED_MEDIA', { detail: 'the data can no longer be read', cause });
  }
}

function lastSegment(uploadUrl: string): string {
  return new URL(uploadUrl).pathname.split('/').at(-1) ?? '';
}
