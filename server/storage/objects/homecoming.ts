import { AppError } from '@teleconsult/protocol';
import type { AwayKeys } from './away-keys.ts';
import type { KeyTurns } from './key-turns.ts';
import type { ObjectStore, RandomAccessSource } from './object-store.ts';

/** Read and handed on at a time. */
const CHUNK_BYTES = 1024 * 1024;

export interface HomecomingParts {
  readonly first: ObjectStore;
  readonly second: ObjectStore;
  readonly away: AwayKeys;
  readonly turns: KeyTurns;
  /** A key that is being put or deleted is not moved: the older object could come out on top. */
  readonly isWritten: (key: string) => boolean;
  /** A key that is being read from the second store is copied and not removed there. */
  readonly isRead: (key: string) => boolean;
}

interface Move {
  readonly key: string;
  readonly done: Promise<void>;
  isRemoving: boolean;
}

/** The way back from the second store to the first, one object at a time. */
export class Homecoming {
  readonly #parts: HomecomingParts;
  #move: Move | null = null;
  #run: Promise<{ moved: number; damaged: number }> | null = null;

  constructor(parts: HomecomingParts) {
    this.#parts = parts;
  }

  /** Moves what can be moved. A call during another one gets the other one's outcome. */
  run(signal?: AbortSignal): Promise<{ moved: number; damaged: number }> {
    this.#run ??= this.#moveAll(signal).finally(() => {
      this.#run = null;
    });
    return this.#run;
  }

  /** Resolves when this key is not being moved: its writer comes after. */
  async moved(key: string): Promise<void> {
    while (this.#move?.key === key) await this.#move.done;
  }

  /** Resolves when this key is not being removed from the second store: who opens it now can go on reading it. */
  async letGo(key: string): Promise<void> {
    while (this.#move?.key === key && this.#move.isRemoving) await this.#move.done;
  }

  async #moveAll(signal: AbortSignal | undefined): Promise<{ moved: number; damaged: number }> {
    let moved = 0;
    let damaged = 0;
    for (const key of this.#parts.away.beginningWith('')) {
      if (signal?.aborted) break;
      if (this.#parts.isWritten(key) || this.#parts.isRead(key)) continue;
      try {
        if (await this.#moveOne(key, signal)) moved += 1;
      } catch (error) {
        const code = error instanceof AppError ? error.code : null;
        if (code === 'STORAGE_UNAVAILABLE' || code === 'STORAGE_FULL') throw error;
        if (code === 'ABORTED') break;
        // One that is damaged must not keep the others away.
        damaged += 1;
      }
    }
    return { moved, damaged };
  }

  async #moveOne(key: string, signal: AbortSignal | undefined): Promise<boolean> {
    const done = Promise.withResolvers<void>();
    const move: Move = { key, done: done.promise, isRemoving: false };
    this.#move = move;
    try {
      return await this.#parts.turns.take(key, () => this.#copyAndRemove(move, signal));
    } finally {
      this.#move = null;
      done.resolve();
    }
  }

  /** A crash in between leaves the same object in both, and the next run begins with it again. */
  async #copyAndRemove(move: Move, signal: AbortSignal | undefined): Promise<boolean> {
    const { first, second, away, isRead } = this.#parts;
    const { key } = move;
    const source = await openOrNull(second, key);
    if (source === null) {
      await away.remove(key);
      return false;
    }
    try {
      const options = signal === undefined ? {} : { signal };
      const { byteSize } = await first.put(key, chunksOf(source), options);
      if (byteSize !== source.byteSize)
        throw new AppError('INTEGRITY', { cause: new Error('The copy has another size.') });
    } finally {
      await source.close();
    }
    if (isRead(key)) return false;
    move.isRemoving = true;
    await second.delete(key);
    await away.remove(key);
    return true;
  }
}

async function openOrNull(store: ObjectStore, key: string): Promise<RandomAccessSource | null> {
  try {
    return await store.open(key);
  } catch (error) {
    if (error instanceof AppError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

async function* chunksOf(source: RandomAccessSource): AsyncGenerator<Buffer> {
  for (let at = 0; at < source.byteSize; at += CHUNK_BYTES)
    yield await source.read(at, Math.min(at + CHUNK_BYTES, source.byteSize));
}
