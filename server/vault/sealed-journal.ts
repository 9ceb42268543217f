import { AppError } from '@teleconsult/protocol';
import { toStorageError } from '../storage/objects/storage-error.ts';
import type { ConsultationKey } from './consultation-key.ts';
import { flatten, type ObjectContext } from './encryption-context.ts';
import { JOURNAL_FRAME_LENGTH, JOURNAL_FRAME_ROOM, LENGTH_BYTES } from './journal-format.ts';
import { beginMessage, type MessageSealer } from './message-sealer.ts';

/** How long a byte may wait in memory for its frame to fill. */
export const FRAME_MS = 250;
/** How long what was written may wait to be synced, unless somebody asks for it. */
export const SYNC_MS = 1_000;
/** Most sealed bytes that wait for a disk that does not keep up. */
export const MAX_BACKLOG_BYTES = 4 * 1024 * 1024;

/** A file that is only appended to, on whatever disk. Calls do not overlap. */
export interface AppendFile {
  /** Writes all bytes behind what is there. After a failure some of them may be there. */
  append(bytes: Uint8Array): Promise<void>;
  /** Makes what was appended survive a power cut. After a failure it is not called again. */
  sync(): Promise<void>;
  /** May be called twice. */
  close(): Promise<void>;
}

export interface JournalOptions {
  readonly key: ConsultationKey;
  readonly context: ObjectContext;
  /** An empty file; the journal closes it. */
  readonly file: AppendFile;
}

interface FlushWaiter extends PromiseWithResolvers<void> {
  readonly frames: number;
}

/**
 * A sealed object that grows and can be opened after a kill: frames of one length, of whose content only the first bytes
 * count, so that a frame is closed by time as well as by size (docs/VAULT-FORMAT.md). It is never appended to by another
 * process: a frame that a kill cut would be written again under its nonce.
 */
export class SealedJournal {
  readonly #file: AppendFile;
  readonly #message: MessageSealer;
  /** Content of the frame that fills. */
  #content = Buffer.alloc(JOURNAL_FRAME_LENGTH);
  #filled = 0;
  #frameTimer: NodeJS.Timeout | null = null;
  #syncTimer: NodeJS.Timeout | null = null;
  #syncIsDue = false;
  /** Sealed, not written. */
  #backlog: Buffer[] = [];
  #backlogBytes = 0;
  /** Counts of frames. */
  #sealed = 0;
  #written = 0;
  #synced = 0;
  #waiters: FlushWaiter[] = [];
  #isWorking = false;
  #working: Promise<void> = Promise.resolve();
  #failure: AppError | null = null;
  #closing: Promise<void> | null = null;
  #byteSize = 0;
  #sealedByteSize: number;
  readonly #onFailed: ((error: AppError) => void) | undefined;

  private constructor(file: AppendFile, message: MessageSealer, onFailed?: (error: AppError) => void) {
    this.#file = file;
    this.#message = message;
    this.#onFailed = onFailed;
    this.#sealedByteSize = message.header.byteLength;
  }

  /**
   * Writes the header. It is synced with the first frames, or by `flush`.
   * @param onFailed told once when a later write or sync fails; what was written before stays readable
   * @throws AppError STORAGE_FULL, STORAGE_UNAVAILABLE; the file is closed then
   */
  static async create(options: JournalOptions, onFailed?: (error: AppError) => void): Promise<SealedJournal> {
    const { key, context, file } = options;
    try {
      const message = await beginMessage({
        keyring: key.objectKeyring,
        encryptionContext: flatten(context),
        frameLength: JOURNAL_FRAME_LENGTH,
      });
      await file.append(message.header);
      return new SealedJournal(file, message, onFailed);
    } catch (error) {
      await file.close().catch(() => undefined);
      throw toStorageError(error);
    }
  }

  /** Bytes appended. */
  get byteSize(): number {
    return this.#byteSize;
  }

  /** Bytes of the sealed file once everything sealed is written. */
  get sealedByteSize(): number {
    return this.#sealedByteSize;
  }

  /** Why nothing is written any more; null while all is well. */
  get failure(): AppError | null {
    return this.#failure;
  }

  /** @throws AppError STORAGE_FULL, STORAGE_UNAVAILABLE (also when the disk does not keep up) once it has failed */
  append(bytes: Uint8Array): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#closing !== null) throw new Error('The journal is closed.');
    if (this.#backlogBytes + bytes.byteLength > MAX_BACKLOG_BYTES) {
      this.#fail(new AppError('STORAGE_UNAVAILABLE', { cause: new Error('The disk does not keep up.') }));
      throw this.#failure ?? new AppError('STORAGE_UNAVAILABLE');
    }
    this.#byteSize += bytes.byteLength;
    let rest = bytes;
    while (rest.byteLength > 0) {
      const taken = rest.subarray(0, JOURNAL_FRAME_ROOM - this.#filled);
      this.#content.set(taken, LENGTH_BYTES + this.#filled);
      this.#filled += taken.byteLength;
      rest = rest.subarray(taken.byteLength);
      if (this.#filled === JOURNAL_FRAME_ROOM) this.#closeFrame();
    }
    if (this.#filled > 0) this.#frameTimer ??= this.#timer(FRAME_MS, () => this.#closeFrame());
  }

  /** Resolves when everything appended so far survives a power cut; rejects once writing has failed. */
  flush(): Promise<void> {
    this.#closeFrame();
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#synced === this.#sealed && !this.#isWorking && this.#sealed > 0) return Promise.resolve();
    const waiter: FlushWaiter = { ...Promise.withResolvers<void>(), frames: this.#sealed };
    this.#waiters.push(waiter);
    this.#work();
    return waiter.promise;
  }

  /**
   * Ends it with a last frame and syncs it. May be called twice.
   * @throws AppError when it has failed before or does now; what was written stays readable
   */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    try {
      this.#closeFrame();
      if (this.#failure === null) {
        this.#push(this.#message.frame(Buffer.alloc(0), { isLast: true }));
        await this.flush();
      }
      if (this.#failure !== null) throw this.#failure;
    } finally {
      this.#clearTimers();
      await this.#working;
      this.#message.dispose();
      this.#content.fill(0);
      await this.#file.close().catch(() => undefined);
    }
  }

  #closeFrame(): void {
    if (this.#frameTimer !== null) clearTimeout(this.#frameTimer);
    this.#frameTimer = null;
    if (this.#filled === 0 || this.#failure !== null) return;
    this.#content.writeUInt16BE(this.#filled);
    this.#content.fill(0, LENGTH_BYTES + this.#filled);
    this.#filled = 0;
    this.#push(this.#message.frame(this.#content, { isLast: false }));
  }

  #push(frame: Buffer): void {
    this.#backlog.push(frame);
    this.#backlogBytes += frame.byteLength;
    this.#sealedByteSize += frame.byteLength;
    this.#sealed += 1;
    this.#work();
  }

  #work(): void {
    if (this.#isWorking) return;
    this.#isWorking = true;
    this.#working = this.#writeAll();
  }

  /** Writes and syncs, one after the other, until there is nothing left to do. */
  async #writeAll(): Promise<void> {
    try {
      while (this.#failure === null) {
        if (this.#backlog.length > 0) await this.#write();
        else if (this.#syncIsDue || this.#waiters.length > 0) await this.#sync();
        else break;
      }
    } catch (error) {
      this.#fail(toStorageError(error));
    } finally {
      this.#isWorking = false;
    }
  }

  async #write(): Promise<void> {
    const frames = this.#backlog;
    this.#backlog = [];
    await this.#file.append(Buffer.concat(frames));
    this.#backlogBytes -= frames.reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.#written += frames.length;
    this.#syncTimer ??= this.#timer(SYNC_MS, () => {
      this.#syncTimer = null;
      this.#syncIsDue = true;
      this.#work();
    });
  }

  async #sync(): Promise<void> {
    const upTo = this.#written;
    this.#syncIsDue = false;
    if (this.#syncTimer !== null) clearTimeout(this.#syncTimer);
    this.#syncTimer = null;
    await this.#file.sync();
    this.#synced = upTo;
    const done = this.#waiters.filter(({ frames }) => frames <= upTo);
    this.#waiters = this.#waiters.filter(({ frames }) => frames > upTo);
    for (const { resolve } of done) resolve();
  }

  /** Nothing is written or synced any more: a second sync may report success for pages the kernel has dropped. */
  #fail(error: AppError): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#clearTimers();
    this.#backlog = [];
    this.#backlogBytes = 0;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { reject } of waiters) reject(error);
    this.#onFailed?.(error);
  }

  #timer(ms: number, then: () => void): NodeJS.Timeout {
    return setTimeout(then, ms);
  }

  #clearTimers(): void {
    if (this.#frameTimer !== null) clearTimeout(this.#frameTimer);
    if (this.#syncTimer !== null) clearTimeout(this.#syncTimer);
    this.#frameTimer = null;
    this.#syncTimer = null;
  }
}
