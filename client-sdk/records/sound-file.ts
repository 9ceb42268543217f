import type { AppError } from '@teleconsult/protocol/errors';
import { storageError } from '../storage/opened-storage.ts';
import type { Journal } from './journal.ts';

export interface SoundFileOptions {
  readonly journal: Journal;
  readonly dictationId: string;
  readonly number: number;
  /** More is there, more is kept, or keeping failed. */
  readonly onChange: () => void;
}

interface Unkept {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly endMs: number;
}

/** Sound that could not be written is held in memory up to this: about half an hour. */
const MAX_UNKEPT_BYTES = 8 * 1024 * 1024;

/**
 * One file of a dictation: what one run of the recorder wrote. Every piece is written to the journal before anything else;
 * only while the device has no room for it does sound go to the server from memory.
 */
export class SoundFile {
  readonly #options: SoundFileOptions;
  #pieces = 0;
  #keptBytes = 0;
  #keptMs = 0;
  readonly #unkept: Unkept[] = [];
  #unkeptBytes = 0;
  /** Where memory begins: after what the journal has, unless what the server has was dropped. */
  #memoryFrom = 0;
  #goneMs = 0;
  #isJournalEnded = false;
  #writing: Promise<void> | null = null;
  #failure: AppError | null = null;
  /** Where the reader was is where it goes on, mostly. */
  #hint = { offset: 0, piece: 0 };
  #isClosed = false;
  /** How many bytes the server has, as it said last. */
  sentBytes = 0;
  /** This device has sent bytes of it, so the server may have some. */
  wasSent = false;

  constructor(options: SoundFileOptions) {
    this.#options = options;
  }

  /** As the journal has it, of a page that is gone. */
  static async restore(options: SoundFileOptions): Promise<SoundFile | null> {
    const { journal, dictationId, number } = options;
    const pieces = await journal.pieces(dictationId, number);
    const last = pieces === 0 ? null : await journal.read(dictationId, { file: number, piece: pieces - 1 });
    if (last === null) return null;
    const file = new SoundFile(options);
    file.#pieces = pieces;
    file.#keptBytes = last.endByte;
    file.#memoryFrom = last.endByte;
    file.#keptMs = last.endMs;
    file.#isClosed = true;
    file.wasSent = true;
    return file;
  }

  get number(): number {
    return this.#options.number;
  }

  /** No sound will be added. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Bytes that there are. The server may have more of a file whose page died while the device was full. */
  get byteSize(): number {
    return Math.max(this.#memoryFrom + this.#unkeptBytes, this.#isClosed ? this.sentBytes : 0);
  }

  /** Up to where it may go to the server: what is kept, or all when keeping fails. */
  get sendableBytes(): number {
    return this.#failure === null && !this.#isJournalEnded ? this.#keptBytes : this.byteSize;
  }

  get durationMs(): number {
    return this.#unkept.at(-1)?.endMs ?? Math.max(this.#keptMs, this.#goneMs);
  }

  get keptMs(): number {
    return this.#keptMs;
  }

  get sentMs(): number {
    const { byteSize, sentBytes } = this;
    return byteSize === 0 ? 0 : (this.durationMs * Math.min(sentBytes, byteSize)) / byteSize;
  }

  /** Why what was said last is not kept on this device; null when all is. */
  get failure(): AppError | null {
    return this.#failure;
  }

  /** It can hold no more, neither on the device nor in memory. */
  get isFull(): boolean {
    return this.#unkeptBytes > MAX_UNKEPT_BYTES;
  }

  add(bytes: Uint8Array<ArrayBuffer>, endMs: number): void {
    if (bytes.length === 0) return;
    this.#unkept.push({ bytes, endMs });
    this.#unkeptBytes += bytes.length;
    this.#keep();
    if (this.isFull) this.#dropSent();
    this.#options.onChange();
  }

  /** Resolves when everything is kept, or cannot be. */
  async settled(): Promise<void> {
    this.#keep();
    while (this.#writing !== null) await this.#writing;
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Bytes from `offset` on, at most `limit`; null when they are not there (any more). */
  async read(offset: number, limit: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const parts =
      offset < this.#keptBytes ? await this.#readKept(offset, limit) : this.#readMemory(offset, limit);
    if (parts === null) return null;
    const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes.length === 0 ? null : bytes;
  }

  async blob(type: string): Promise<Blob> {
    const { journal, dictationId, number } = this.#options;
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let piece = 0; piece < this.#pieces; piece += 1) {
      const sound = await journal.read(dictationId, { file: number, piece });
      if (sound === null) break;
      parts.push(sound.bytes);
    }
    if (!this.#isJournalEnded) parts.push(...this.#unkept.map(({ bytes }) => bytes));
    return new Blob(parts, { type });
  }

  #keep(): void {
    if (this.#writing !== null || this.#isJournalEnded || this.#unkept.length === 0) return;
    this.#writing = this.#write().finally(() => {
      this.#writing = null;
      // What came meanwhile; after a failure the next piece tries again.
      if (this.#failure === null) this.#keep();
      this.#options.onChange();
    });
  }

  /** Everything that waits becomes one piece. */
  async #write(): Promise<void> {
    const { journal, dictationId, number: file } = this.#options;
    const waiting = this.#unkept.slice();
    const bytes = new Uint8Array(waiting.reduce((sum, one) => sum + one.bytes.length, 0));
    let at = 0;
    for (const one of waiting) {
      bytes.set(one.bytes, at);
      at += one.bytes.length;
    }
    const endByte = this.#keptBytes + bytes.length;
    const endMs = waiting.at(-1)?.endMs ?? 0;
    try {
      await journal.write(
        dictationId,
        { file, piece: this.#pieces },
        { at: Date.now(), bytes, endByte, endMs },
      );
    } catch (thrown) {
      this.#failure = storageError(thrown);
      return;
    }
    this.#pieces += 1;
    this.#failure = null;
    this.#keptBytes = endByte;
    this.#keptMs = endMs;
    // What the server has may have been dropped meanwhile: only what was written goes.
    for (const one of waiting) if (this.#unkept[0] === one) this.#shift();
    this.#isJournalEnded = this.#memoryFrom > endByte;
  }

  #shift(): void {
    const first = this.#unkept.shift();
    if (first === undefined) return;
    this.#unkeptBytes -= first.bytes.length;
    this.#memoryFrom += first.bytes.length;
    this.#goneMs = first.endMs;
  }

  /** The server has it, and the device has no room: it cannot be kept any more, nor anything after it. */
  #dropSent(): void {
    if (this.#failure === null) return;
    for (;;) {
      const first = this.#unkept[0];
      if (first === undefined || this.#memoryFrom + first.bytes.length > this.sentBytes) return;
      this.#isJournalEnded = true;
      this.#shift();
    }
  }

  async #readKept(offset: number, limit: number): Promise<Uint8Array<ArrayBuffer>[] | null> {
    const { journal, dictationId, number: file } = this.#options;
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let [piece, left] = [await this.#pieceAt(offset), limit];
    let from = offset;
    const end = this.#keptBytes;
    while (from < end && left > 0) {
      const sound = await journal.read(dictationId, { file, piece });
      if (sound === null) return parts.length === 0 ? null : parts;
      const begin = sound.bytes.length - (sound.endByte - from);
      const part = sound.bytes.subarray(begin, begin + left);
      parts.push(part);
      from += part.length;
      left -= part.length;
      piece += 1;
    }
    return parts;
  }

  async #pieceAt(offset: number): Promise<number> {
    const { journal, dictationId, number: file } = this.#options;
    let [from, to] = [offset >= this.#hint.offset ? this.#hint.piece : 0, this.#pieces - 1];
    while (from < to) {
      const middle = (from + to) >> 1;
      const sound = await journal.read(dictationId, { file, piece: middle });
      if (sound === null || sound.endByte > offset) to = middle;
      else from = middle + 1;
    }
    this.#hint = { offset, piece: from };
    return from;
  }

  #readMemory(offset: number, limit: number): Uint8Array<ArrayBuffer>[] | null {
    if (offset < this.#memoryFrom) return null;
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let begin = this.#memoryFrom;
    let left = limit;
    for (const { bytes } of this.#unkept) {
      const part = bytes.subarray(Math.max(0, offset - begin)).subarray(0, left);
      begin += bytes.length;
      if (part.length === 0) continue;
      parts.push(part);
      left -= part.length;
    }
    return parts;
  }
}
