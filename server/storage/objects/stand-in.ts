import { AppError } from '@teleconsult/protocol';
import { AwayKeys, type NothingAwayNote } from './away-keys.ts';
import { CountedKeys } from './counted-keys.ts';
import type { GuardedObjectStore } from './guarded.ts';
import { Homecoming } from './homecoming.ts';
import { KeyTurns } from './key-turns.ts';
import { parseObjectKey, parseObjectKeyPrefix } from './object-key.ts';
import type { ObjectStore, PutOptions, RandomAccessSource } from './object-store.ts';
import { ReplayableBytes, type ReplayFolder } from './replayable-bytes.ts';

/** A full store is not asked to take anything for so long; then one put finds out whether there is room again. */
const FULL_FOR_MS = 30_000;

export interface StandInParts {
  /** Where objects belong. */
  readonly first: GuardedObjectStore;
  /** Where they go while the first cannot take them. It is this pair's alone: whatever is in it is taken for away. */
  readonly second: GuardedObjectStore;
  /** Where a put is kept that may have to begin again at the second. */
  readonly replays: ReplayFolder;
  readonly note: NothingAwayNote;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
  readonly maxAway?: number;
}

/**
 * Two stores as one: the second stands in while the first is down or full, and what it took comes home later.
 *
 * **Which of two objects of one key is the newer?** Always the second store's. It only gets an object when the first
 * failed to take that very put, and every later put or delete that the first accepts removes the second's before it is
 * acknowledged. So:
 *
 * - put: the first; if it fails, the second. After a put to the first, what the second has of the key is removed, and
 *   only then is the put acknowledged.
 * - read: the second if the key may be there, else (or when it is not) the first.
 * - delete: the first, then the second; in the other order a crash between would bring the first's older object back.
 *   It fails while one of the two that has, or may have, the object is down.
 * - list: what is away and what is home, each key once. It fails rather than leave out what a store that is down has.
 *
 * What may be away is known by heart (`AwayKeys`), so that while nothing is, the second store is not asked at all and
 * may be down. A caller never reads what was replaced or deleted: when the newer object cannot be reached, reading
 * fails with `STORAGE_UNAVAILABLE`.
 */
export class StandInObjectStore implements ObjectStore {
  readonly #first: GuardedObjectStore;
  readonly #second: GuardedObjectStore;
  readonly #replays: ReplayFolder;
  readonly #clock: () => number;
  readonly #away: AwayKeys;
  /** What changes a key in the second store. A put to the first runs beside it. */
  readonly #turns = new KeyTurns();
  readonly #writing = new CountedKeys();
  readonly #reading = new CountedKeys();
  readonly #homecoming: Homecoming;
  #fullUntil = Number.NEGATIVE_INFINITY;

  private constructor({ first, second, replays, note, clock, maxAway }: StandInParts) {
    this.#first = first;
    this.#second = second;
    this.#replays = replays;
    this.#clock = clock;
    this.#away = new AwayKeys(note, maxAway === undefined ? {} : { max: maxAway });
    this.#homecoming = new Homecoming({
      first,
      second,
      away: this.#away,
      turns: this.#turns,
      isWritten: (key) => this.#writing.has(key),
      isRead: (key) => this.#reading.has(key),
    });
  }

  /** Learns what is away. A second store that does not answer is asked again by `bringHome`. */
  static async open(parts: StandInParts): Promise<StandInObjectStore> {
    const store = new StandInObjectStore(parts);
    await store.#away.learn(parts.second).catch(() => undefined);
    return store;
  }

  /** How many objects are known to be in the second store. */
  get awayCount(): number {
    return this.#away.size;
  }

  async put(
    key: string,
    bytes: AsyncIterable<Uint8Array>,
    { signal }: PutOptions = {},
  ): Promise<{ byteSize: number }> {
    parseObjectKey(key);
    const options = signal === undefined ? {} : { signal };
    return await this.#whileWriting(key, async () => {
      await using replayable = new ReplayableBytes(bytes, this.#replays);
      const taken = this.#firstMayTakeIt() ? await this.#putToFirst(key, replayable, options) : null;
      if (taken !== null) {
        await this.#forgetSecond(key);
        return taken;
      }
      return await this.#turns.take(key, async () => {
        if (signal?.aborted) throw new AppError('ABORTED', { cause: signal.reason });
        await this.#away.add(key);
        return await this.#second.put(key, replayable.again(), options);
      });
    });
  }

  async open(key: string): Promise<RandomAccessSource> {
    parseObjectKey(key);
    return (await this.#openAway(key)) ?? (await this.#openHome(key));
  }

  async head(key: string): Promise<{ byteSize: number } | null> {
    parseObjectKey(key);
    const away = this.#away.mayHave(key) ? await this.#second.head(key) : null;
    if (away !== null) return away;
    const home = await this.#first.head(key);
    // It may have gone to the second while the first was asked.
    return home ?? (this.#away.mayHave(key) ? await this.#second.head(key) : null);
  }

  async delete(key: string): Promise<void> {
    parseObjectKey(key);
    await this.#whileWriting(key, () =>
      this.#turns.take(key, async () => {
        await this.#first.delete(key);
        if (!this.#away.mayHave(key)) return;
        await this.#second.delete(key);
        await this.#away.remove(key);
      }),
    );
  }

  async *list(prefix: string): AsyncGenerator<string> {
    parseObjectKeyPrefix(prefix);
    const away = new Set<string>();
    // The second before the first: what comes home meanwhile is listed once or twice, and the set sorts that out.
    if (!this.#away.isComplete || this.#away.size > 0)
      for await (const key of this.#second.list(prefix)) {
        away.add(key);
        yield key;
      }
    for await (const key of this.#first.list(prefix)) if (!away.has(key)) yield key;
  }

  /**
   * Moves objects home, one at a time, until none is away or the first store does not take them. Objects that are being
   * written or read stay for the next time. Never two at once: a second call joins the first.
   * @returns how many came home, and how many were left because they cannot be read or moved
   * @throws AppError STORAGE_UNAVAILABLE, STORAGE_FULL when it has to be tried again later
   */
  async bringHome(signal?: AbortSignal): Promise<{ moved: number; damaged: number }> {
    await this.#away.learn(this.#second);
    const outcome = await this.#homecoming.run(signal);
    // What had been too many to keep track of can be learnt now.
    if (outcome.moved > 0) await this.#away.learn(this.#second);
    return outcome;
  }

  #firstMayTakeIt(): boolean {
    return this.#first.reachable && this.#clock() >= this.#fullUntil;
  }

  /** Null when the second shall take it. */
  async #putToFirst(
    key: string,
    replayable: ReplayableBytes,
    options: PutOptions,
  ): Promise<{ byteSize: number } | null> {
    try {
      const put = await this.#first.put(key, replayable.once(), options);
      this.#fullUntil = Number.NEGATIVE_INFINITY;
      return put;
    } catch (error) {
      if (!(error instanceof AppError) || replayable.isOfSource(error)) throw error;
      if (error.code === 'STORAGE_FULL') this.#fullUntil = this.#clock() + FULL_FOR_MS;
      else if (error.code !== 'STORAGE_UNAVAILABLE') throw error;
      if (!replayable.canBeToldAgain) throw error;
      return null;
    }
  }

  /** The first has the newest now; what the second has would be taken for newer. */
  async #forgetSecond(key: string): Promise<void> {
    if (!this.#away.mayHave(key)) return;
    await this.#turns.take(key, async () => {
      if (!this.#away.mayHave(key)) return;
      await this.#second.delete(key);
      await this.#away.remove(key);
    });
  }

  async #openAway(key: string): Promise<RandomAccessSource | null> {
    if (!this.#away.mayHave(key)) return null;
    // First said, then waited: from here on it is not removed.
    this.#reading.add(key);
    try {
      await this.#homecoming.letGo(key);
      const source = await this.#second.open(key);
      let isOpen = true;
      const close = async () => {
        if (isOpen) this.#reading.remove(key);
        isOpen = false;
        await source.close();
      };
      return {
        byteSize: source.byteSize,
        read: (start, endExclusive) => source.read(start, endExclusive),
        close,
        [Symbol.asyncDispose]: close,
      };
    } catch (error) {
      this.#reading.remove(key);
      if (error instanceof AppError && error.code === 'NOT_FOUND') return null;
      throw error;
    }
  }

  async #openHome(key: string): Promise<RandomAccessSource> {
    try {
      return await this.#first.open(key);
    } catch (error) {
      const isMissing = error instanceof AppError && error.code === 'NOT_FOUND';
      // It may have gone to the second while the first was asked.
      const away = isMissing ? await this.#openAway(key) : null;
      if (away !== null) return away;
      throw error;
    }
  }

  async #whileWriting<T>(key: string, write: () => Promise<T>): Promise<T> {
    // First said, then waited: no move of this key begins from here on.
    this.#writing.add(key);
    try {
      await this.#homecoming.moved(key);
      return await write();
    } finally {
      this.#writing.remove(key);
    }
  }
}
