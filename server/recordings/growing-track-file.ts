import { setTimeout as wait } from 'node:timers/promises';
import { AppError } from '@teleconsult/protocol';
import { toStorageError } from '../storage/objects/storage-error.ts';
import { openSealedJournal } from '../vault/opened-journal.ts';
import { SealedJournal } from '../vault/sealed-journal.ts';
import { journalContext, journalName } from './chunk-names.ts';
import type { JournalFolder } from './journal-folder.ts';
import type { PartSealer } from './part-sealer.ts';
import type { FilePlace, GrowingFile } from './ports.ts';

/** When a journal is made a part: what a crash leaves to seal again, and what a reader must look through, stays small. */
export interface ChunkLimits {
  readonly bytes: number;
  readonly ms: number;
}

export const CHUNK_LIMITS: ChunkLimits = { bytes: 16 * 1024 * 1024, ms: 5 * 60_000 };

/** Most bytes that wait while one journal ends and the next begins. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** Closing waits so long for the last part; the journal it is made of can be read meanwhile. */
const PART_WAIT_MS = 5_000;

export interface GrowingTrackFileParts {
  readonly place: FilePlace;
  readonly folder: JournalFolder;
  readonly sealer: PartSealer;
  readonly limits: ChunkLimits;
  readonly clock: () => number;
  readonly onClosed: () => void;
}

/** Grows at its end, in the journal of its last chunk. */
export class GrowingTrackFile implements GrowingFile {
  readonly #parts: GrowingTrackFileParts;
  /** Chunks that are finished, and the bytes in them. */
  #chunks: number;
  #chunkBytes: number;
  #journal: SealedJournal | null = null;
  #journalSince = 0;
  #rolling: Promise<void> | null = null;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #byteSize: number;
  #failure: AppError | null = null;
  #closing: Promise<{ byteSize: number; parts: number }> | null = null;

  private constructor(parts: GrowingTrackFileParts, found: { chunks: number; byteSize: number }) {
    this.#parts = parts;
    this.#chunks = found.chunks;
    this.#chunkBytes = found.byteSize;
    this.#byteSize = found.byteSize;
  }

  /**
   * @param found the finished chunks that are there, and their bytes together
   * @throws AppError STORAGE_FULL, STORAGE_UNAVAILABLE
   */
  static async begin(
    parts: GrowingTrackFileParts,
    found: { readonly chunks: number; readonly byteSize: number },
  ): Promise<GrowingTrackFile> {
    const file = new GrowingTrackFile(parts, found);
    file.#journal = await file.#beginJournal();
    return file;
  }

  get byteSize(): number {
    return this.#byteSize;
  }

  /** Why it takes nothing any more; null while all is well. */
  get failure(): AppError | null {
    return this.#failure;
  }

  /** It is closed, or is about to be. */
  get isClosing(): boolean {
    return this.#closing !== null;
  }

  append(bytes: Uint8Array): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#closing !== null) throw new Error('The file is closed.');
    if (this.#rolling === null) this.#appendNow(bytes);
    else this.#hold(bytes);
    this.#byteSize += bytes.byteLength;
  }

  async flush(): Promise<void> {
    await this.#rolling;
    if (this.#failure !== null) throw this.#failure;
    await this.#journal?.flush();
  }

  close(): Promise<{ byteSize: number; parts: number }> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #appendNow(bytes: Uint8Array): void {
    const journal = this.#journal;
    if (journal === null) throw new Error('A file that has not failed has a journal.');
    try {
      journal.append(bytes);
    } catch (error) {
      this.#failure = toStorageError(error);
      throw this.#failure;
    }
    const { limits, clock } = this.#parts;
    if (journal.sealedByteSize >= limits.bytes || clock() - this.#journalSince >= limits.ms)
      this.#rolling = this.#roll(journal);
  }

  #hold(bytes: Uint8Array): void {
    this.#waitingBytes += bytes.byteLength;
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      this.#failure = new AppError('STORAGE_UNAVAILABLE', {
        cause: new Error('The disk does not keep up.'),
      });
      throw this.#failure;
    }
    this.#waiting.push(bytes);
  }

  /** The finished journal is on disk to its last frame before the next has a byte: a crash leaves no hole. */
  async #roll(finished: SealedJournal): Promise<void> {
    try {
      await finished.close();
      this.#journal = null;
      void this.#handIn(finished.byteSize, true);
      const journal = await this.#beginJournal();
      this.#journal = journal;
      const waiting = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      for (const bytes of waiting) journal.append(bytes);
    } catch (error) {
      this.#failure ??= toStorageError(error);
      this.#waiting = [];
    } finally {
      this.#rolling = null;
    }
  }

  /** Its header is on disk before it has its name, so that a journal of that name can always be opened. */
  async #beginJournal(): Promise<SealedJournal> {
    const { place, folder, clock } = this.#parts;
    const name = journalName(place, this.#chunks);
    const context = journalContext(place, this.#chunks);
    let journal: SealedJournal | null = null;
    try {
      const file = await folder.create(name);
      journal = await SealedJournal.create({ key: place.key, context, file }, (error) => {
        this.#failure ??= error;
      });
      await journal.flush();
      await folder.publish(name);
    } catch (error) {
      await journal?.close().catch(() => undefined);
      // A disk that fails is tried again and again, each time under another name.
      await folder.discard(name).catch(() => undefined);
      throw toStorageError(error);
    }
    this.#journalSince = clock();
    return journal;
  }

  #handIn(byteSize: number, whole: boolean): Promise<void> {
    const { place, sealer } = this.#parts;
    const index = this.#chunks;
    this.#chunks += 1;
    this.#chunkBytes += byteSize;
    return sealer.hand({ place, index, byteSize: whole ? byteSize : null });
  }

  async #close(): Promise<{ byteSize: number; parts: number }> {
    const { onClosed } = this.#parts;
    try {
      await this.#rolling;
      const journal = this.#journal;
      if (journal !== null) {
        const { part } = await this.#endJournal(journal);
        const limit = new AbortController();
        const waited = wait(PART_WAIT_MS, undefined, { signal: limit.signal }).catch(() => undefined);
        await Promise.race([part, waited]);
        limit.abort();
      }
      this.#byteSize = this.#chunkBytes;
      return { byteSize: this.#chunkBytes, parts: this.#chunks };
    } finally {
      onClosed();
    }
  }

  /** Answers what to wait for until the last part is stored. */
  async #endJournal(journal: SealedJournal): Promise<{ readonly part: Promise<void> }> {
    const { place, folder } = this.#parts;
    const name = journalName(place, this.#chunks);
    const whole = await journal.close().then(
      () => true,
      () => false,
    );
    const byteSize = whole ? journal.byteSize : await this.#readable(name);
    if (byteSize !== null && byteSize > 0) return { part: this.#handIn(byteSize, whole) };
    // One that cannot be read now is kept, and set aside at the next start.
    if (byteSize === 0) await folder.remove(name).catch(() => undefined);
    return { part: Promise.resolve() };
  }

  /** How many bytes are there of a journal that failed; null when that cannot be told. */
  async #readable(name: string): Promise<number | null> {
    const { place, folder } = this.#parts;
    try {
      await using source = await folder.open(name);
      const context = journalContext(place, this.#chunks);
      return (await openSealedJournal(source, { key: place.key, context })).byteSize;
    } catch {
      return null;
    }
  }
}
