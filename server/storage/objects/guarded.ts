import { AppError } from '@teleconsult/protocol';
import { afterFailure, type CircuitState, CLOSED, probeAfterMs } from './circuit.ts';
import { parseObjectKey, parseObjectKeyPrefix } from './object-key.ts';
import type { ObjectStore, PutOptions, RandomAccessSource } from './object-store.ts';

export interface GuardOptions {
  /** Told when the store is given up and when it answers again. */
  readonly onChange?: (reachable: boolean) => void;
}

/** No object has this name: asking for it shows whether there is a store to answer. */
const PROBE = 'probe';

/**
 * A store behind a circuit: while it is down, calls fail at once with `STORAGE_UNAVAILABLE`, and a probe finds out when
 * it is back. Only `STORAGE_UNAVAILABLE` of the store itself counts against it; a full store and a missing object are
 * answers.
 */
export class GuardedObjectStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #options: GuardOptions;
  #circuit: CircuitState = CLOSED;
  #probe: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(store: ObjectStore, options: GuardOptions = {}) {
    this.#store = store;
    this.#options = options;
  }

  /** False while calls fail at once. */
  get reachable(): boolean {
    return this.#circuit.kind === 'closed';
  }

  async put(
    key: string,
    bytes: AsyncIterable<Uint8Array>,
    options?: PutOptions,
  ): Promise<{ byteSize: number }> {
    parseObjectKey(key);
    const source = { failure: null as { error: unknown } | null };
    const watched = (async function* () {
      try {
        yield* bytes;
      } catch (error) {
        source.failure = { error };
        throw error;
      }
    })();
    return await this.#asking(
      () => this.#store.put(key, watched, options),
      (error) => source.failure?.error !== error,
    );
  }

  async open(key: string): Promise<RandomAccessSource> {
    parseObjectKey(key);
    const source = await this.#asking(() => this.#store.open(key));
    const close = () => source.close();
    return {
      byteSize: source.byteSize,
      read: (start, endExclusive) => this.#asking(() => source.read(start, endExclusive)),
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  async head(key: string): Promise<{ byteSize: number } | null> {
    parseObjectKey(key);
    return await this.#asking(() => this.#store.head(key));
  }

  async delete(key: string): Promise<void> {
    parseObjectKey(key);
    await this.#asking(() => this.#store.delete(key));
  }

  async *list(prefix: string): AsyncGenerator<string> {
    parseObjectKeyPrefix(prefix);
    const keys = this.#store.list(prefix)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const step = await this.#asking(() => keys.next());
        if (step.done === true) return;
        yield step.value;
      }
    } finally {
      await keys.return?.();
    }
  }

  /** Ends the probe; the store itself is its opener's to close. May be called twice. */
  close(): void {
    this.#closed = true;
    if (this.#probe !== null) clearTimeout(this.#probe);
  }

  async #asking<T>(ask: () => Promise<T>, isOwn: (error: unknown) => boolean = () => true): Promise<T> {
    if (this.#circuit.kind === 'open')
      throw new AppError('STORAGE_UNAVAILABLE', { cause: new Error('The store was down a moment ago.') });
    try {
      const answer = await ask();
      this.#succeeded();
      return answer;
    } catch (error) {
      if (error instanceof AppError && isOwn(error)) {
        if (error.code === 'STORAGE_UNAVAILABLE') this.#failed();
        else if (error.code !== 'ABORTED') this.#succeeded();
      }
      throw error;
    }
  }

  #succeeded(): void {
    const wasOpen = this.#circuit.kind === 'open';
    this.#circuit = CLOSED;
    if (!wasOpen) return;
    if (this.#probe !== null) clearTimeout(this.#probe);
    this.#probe = null;
    this.#options.onChange?.(true);
  }

  #failed(): void {
    // What was under way when the store was given up tells nothing new.
    if (this.#circuit.kind === 'open') return;
    this.#circuit = afterFailure(this.#circuit);
    if (this.#circuit.kind === 'closed') return;
    this.#probeLater(this.#circuit);
    this.#options.onChange?.(false);
  }

  #probeLater(open: CircuitState & { kind: 'open' }): void {
    if (this.#closed) return;
    this.#probe = setTimeout(() => void this.#ask(), probeAfterMs(open));
    // A server that stops must not wait for it.
    this.#probe.unref();
  }

  /** Never throws: whatever the store says, it is an answer or a failure. */
  async #ask(): Promise<void> {
    this.#probe = null;
    try {
      await this.#store.head(PROBE);
      this.#succeeded();
    } catch (error) {
      if (error instanceof AppError && error.code !== 'STORAGE_UNAVAILABLE') return this.#succeeded();
      if (this.#circuit.kind !== 'open') return;
      const still = afterFailure(this.#circuit);
      this.#circuit = still;
      if (still.kind === 'open') this.#probeLater(still);
    }
  }
}
