/** Bytes that can be read from any place. Whoever opened it closes it. */
export interface RandomAccessSource extends AsyncDisposable {
  readonly byteSize: number;
  /**
   * The bytes from `start` up to, not including, `endExclusive`. Reads may run at the same time.
   * @throws RangeError outside of 0 … byteSize: a mistake of the caller
   * @throws AppError NOT_FOUND when the object that was opened is no more, see `ObjectStore.put`
   * @throws AppError INTEGRITY when the object has become shorter than it was
   * @throws AppError STORAGE_UNAVAILABLE when the store cannot be read
   */
  read(start: number, endExclusive: number): Promise<Buffer>;
  /** May be called twice. Reads that still run may fail. */
  close(): Promise<void>;
}

export interface PutOptions {
  /** Gives up with `ABORTED`; nothing of the object is kept. */
  readonly signal?: AbortSignal;
}

/**
 * Whole objects by name. The bytes are sealed before they come here: a store sees neither content nor names of people.
 *
 * Every method refuses a key that `parseObjectKey` refuses, with a TypeError. What a caller can act on is an AppError:
 * `STORAGE_FULL` (nothing was saved, try later), `STORAGE_UNAVAILABLE`, `NOT_FOUND`.
 */
export interface ObjectStore {
  /**
   * Saves an object. Once it resolves, the object survives a power cut. Until then readers see nothing of it, or
   * what was there before: an object is whole or absent. After a failure it is absent too, except that
   * `STORAGE_UNAVAILABLE` from the very last step may leave a whole object; the same put again is always right.
   *
   * Of two puts of one key at the same time, the one that finishes last stays. Sources opened before keep
   * reading what they opened or, where the store keeps one version alone (S3), end in `NOT_FOUND`: none ever mixes two
   * objects. The same goes for `delete`. An error of `bytes` is thrown unchanged.
   */
  put(key: string, bytes: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<{ byteSize: number }>;
  /** @throws AppError NOT_FOUND */
  open(key: string): Promise<RandomAccessSource>;
  /** The size of an object, or null when there is none. */
  head(key: string): Promise<{ byteSize: number } | null>;
  /** Removes an object, durably. Removing what is not there succeeds. */
  delete(key: string): Promise<void>;
  /** The keys that begin with `prefix`, in no order. Objects that come or go meanwhile may be listed or not. */
  list(prefix: string): AsyncIterable<string>;
}
