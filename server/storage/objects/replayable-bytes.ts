import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Most objects are smaller and never touch the disk here. */
const MEMORY_BYTES = 2 * 1024 * 1024;

const READ_BYTES = 256 * 1024;

/**
 * A folder for bytes that may have to be told a second time. They are sealed already, like everything that comes to an
 * object store.
 */
export class ReplayFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Removes what a crash left. One process at a time may have a folder open. */
  static async open(path: string): Promise<ReplayFolder> {
    await mkdir(path, { recursive: true, mode: 0o700 });
    for (const name of await readdir(path)) await rm(join(path, name), { recursive: true, force: true });
    return new ReplayFolder(path);
  }
}

/**
 * Bytes that come once and can be told twice: to the first store, and from the beginning to the second when the first
 * fails in the middle. What was told is kept in memory, then in a file without a name. When that cannot be written
 * either (a full disk), the bytes go on and can be told once only.
 */
export class ReplayableBytes implements AsyncDisposable {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #folder: ReplayFolder;
  readonly #memoryBytes: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #file: FileHandle | null = null;
  #fileBytes = 0;
  #failure: { readonly error: unknown } | null = null;
  #isWhole = true;
  #hasEnded = false;

  constructor(
    bytes: AsyncIterable<Uint8Array>,
    folder: ReplayFolder,
    { memoryBytes = MEMORY_BYTES }: { memoryBytes?: number } = {},
  ) {
    this.#source = bytes[Symbol.asyncIterator]();
    this.#folder = folder;
    this.#memoryBytes = memoryBytes;
  }

  /** False when something of the beginning could not be kept, or when the source itself has failed. */
  get canBeToldAgain(): boolean {
    return this.#isWhole && this.#failure === null;
  }

  /** Whether an error is the source's own, whoever threw it on. */
  isOfSource(error: unknown): boolean {
    return this.#failure !== null && this.#failure.error === error;
  }

  /** All bytes that are still to come; they are kept for `again`. */
  async *once(): AsyncGenerator<Uint8Array> {
    for (let chunk = await this.#next(); chunk !== null; chunk = await this.#next()) {
      await this.#keep(chunk);
      yield chunk;
    }
  }

  /** What was told before, then the rest. Nothing more is kept. */
  async *again(): AsyncGenerator<Uint8Array> {
    if (this.#file !== null)
      for (let at = 0; at < this.#fileBytes; ) {
        const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, this.#fileBytes - at));
        const { bytesRead } = await this.#file.read(buffer, 0, buffer.byteLength, at);
        if (bytesRead === 0) throw new Error('The file of what was told became shorter.');
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    yield* this.#held;
    for (let chunk = await this.#next(); chunk !== null; chunk = await this.#next()) yield chunk;
  }

  /** The source is told to end, and not waited for: it may have stalled. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) void Promise.resolve(this.#source.return?.()).catch(() => undefined);
    await this.#drop();
  }

  async #next(): Promise<Uint8Array | null> {
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#hasEnded) return null;
    try {
      const step = await this.#source.next();
      if (step.done !== true) return step.value;
      this.#hasEnded = true;
      return null;
    } catch (error) {
      this.#failure = { error };
      this.#hasEnded = true;
      throw error;
    }
  }

  async #keep(chunk: Uint8Array): Promise<void> {
    if (!this.#isWhole) return;
    // Copied: whoever made the chunk may use its memory again.
    this.#held.push(Buffer.from(chunk));
    this.#heldBytes += chunk.byteLength;
    if (this.#heldBytes <= this.#memoryBytes) return;
    try {
      await this.#spill();
    } catch {
      this.#isWhole = false;
      await this.#drop();
    }
  }

  async #spill(): Promise<void> {
    if (this.#file === null) {
      const path = join(this.#folder.path, randomBytes(16).toString('hex'));
      this.#file = await open(path, 'wx+', 0o600);
      // Without a name it goes with this process, however that ends.
      await rm(path);
    }
    const bytes = Buffer.concat(this.#held);
    let written = 0;
    while (written < bytes.byteLength)
      written += (
        await this.#file.write(bytes, written, bytes.byteLength - written, this.#fileBytes + written)
      ).bytesWritten;
    this.#fileBytes += bytes.byteLength;
    this.#held = [];
    this.#heldBytes = 0;
  }

  async #drop(): Promise<void> {
    this.#held = [];
    this.#heldBytes = 0;
    const file = this.#file;
    this.#file = null;
    await file?.close().catch(() => undefined);
  }
}
