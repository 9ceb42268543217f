import { Readable } from 'node:stream';
import type { KeyringNode } from '@aws-crypto/client-node';
import type { RandomAccessSource } from '../storage/objects/object-store.ts';
import { openFrames, type SealedFrames } from './sealed-frames.ts';
import { openHeader } from './sealed-header.ts';

/** Bytes fetched from the store at a time: one large frame or many small ones. */
const FETCH_BYTES = 256 * 1024;

/** Which bytes to read: from `start` up to, not including, `endExclusive`. */
export interface ByteRange {
  readonly start: number;
  readonly endExclusive: number;
}

/** A sealed object whose header, last frame and total length were checked. It needs its source open. */
export interface SealedObject {
  /** Bytes of plaintext. */
  readonly byteSize: number;
  /**
   * The plaintext, or a part of it. Every frame is checked before a byte of it is handed on; the first bad one
   * destroys the stream with `INTEGRITY`. May be called many times, and at the same time.
   * @throws RangeError when the range does not lie in the object
   */
  read(range?: ByteRange): Readable;
}

export interface OpenOptions {
  readonly keyring: KeyringNode;
  /** What the object must have been sealed as. */
  readonly encryptionContext: Readonly<Record<string, string>>;
}

/**
 * Opens a sealed object for reading anywhere in it. Reads its header and its last frame, so that an object that
 * was cut, lengthened or swapped is refused here, whatever is read later.
 * @throws AppError INTEGRITY
 */
export async function openSealedObject(
  source: RandomAccessSource,
  options: OpenOptions,
): Promise<SealedObject> {
  const header = await openHeader(source, options);
  const frames = openFrames(source.byteSize, header);
  // The last frame's number, length and being the last are authenticated: with it the object's length is proven.
  const last = frames.count - 1;
  const lastPlace = frames.placeOf(last);
  frames.decrypt(last, await source.read(lastPlace.start, lastPlace.endExclusive));
  return new FramedObject(source, frames);
}

class FramedObject implements SealedObject {
  readonly byteSize: number;
  readonly #source: RandomAccessSource;
  readonly #frames: SealedFrames;

  constructor(source: RandomAccessSource, frames: SealedFrames) {
    this.#source = source;
    this.#frames = frames;
    this.byteSize = frames.byteSize;
  }

  read(range: ByteRange = { start: 0, endExclusive: this.byteSize }): Readable {
    const { start, endExclusive } = range;
    if (
      !Number.isSafeInteger(start) ||
      !Number.isSafeInteger(endExclusive) ||
      start < 0 ||
      start > endExclusive ||
      endExclusive > this.byteSize
    )
      throw new RangeError('The range does not lie in the object.');
    return Readable.from(this.#plaintext(range), { objectMode: false });
  }

  async *#plaintext({ start, endExclusive }: ByteRange): AsyncGenerator<Buffer> {
    if (start === endExclusive) return;
    const { frameLength } = this.#frames;
    const afterLast = Math.ceil(endExclusive / frameLength);
    const together = Math.max(1, Math.floor(FETCH_BYTES / frameLength));
    for (let first = Math.floor(start / frameLength); first < afterLast; first += together) {
      const behind = Math.min(first + together, afterLast);
      for (const [index, plain] of await this.#fetch(first, behind)) {
        const offset = index * frameLength;
        yield plain.subarray(Math.max(0, start - offset), Math.min(plain.byteLength, endExclusive - offset));
      }
    }
  }

  /** Decrypts the frames from `first` up to, not including, `behind`. */
  async #fetch(first: number, behind: number): Promise<[number, Buffer][]> {
    const from = this.#frames.placeOf(first).start;
    const bytes = await this.#source.read(from, this.#frames.placeOf(behind - 1).endExclusive);
    const plain: [number, Buffer][] = [];
    for (let index = first; index < behind; index += 1) {
      const place = this.#frames.placeOf(index);
      plain.push([
        index,
        this.#frames.decrypt(index, bytes.subarray(place.start - from, place.endExclusive - from)),
      ]);
    }
    return plain;
  }
}
