import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { AppError } from '@teleconsult/protocol';
import type { Clock, Log } from '../host/ports.ts';
import type { KeyProvider } from './key-provider.ts';
import { rewrap } from './rewrap.ts';
import { providerKeysOf, readLabel } from './sealed-label.ts';
import type { StoredValue, ValueColumn, WrappedValues } from './wrapped-values.ts';

/** Rows looked at in one go, which takes a few milliseconds of the server's thread. */
const PAGE_ROWS = 500;
/** Values sealed anew at a time. Each costs some 2 ms of the server's thread, or three questions to a key service. */
const AT_ONCE = 4;
/** Longest rest after some of them. */
const MAX_PAUSE_MS = 50;
/**
 * A value that was being written while the key changed may still be wrapped under the former one, so only a pass that
 * began this long after the change can say that nothing is. No write takes so long: the store gives up before.
 */
const SETTLE_MS = 30_000;
/** After a key service, or the store, could not be asked. */
const RETRY_MS = 15_000;
/** Where all that is left cannot be opened: it is complained about again, but not all the time. */
const HOPELESS_MS = 600_000;

/** How far the values are that have to be sealed anew. */
export interface RewrapProgress {
  readonly state: 'rewrapping' | 'waiting' | 'settled';
  readonly currentKeyId: string;
  /** Since when this process wraps under it; null: since it began, and what was written before is on disk. */
  readonly wrappingSince: number | null;
  /** Values under other keys as of the last count. */
  readonly remaining: number;
  /** Since the start of this process. */
  readonly rewrapped: number;
  /** Values of the last pass that could not be opened. */
  readonly failed: number;
}

export interface RewrapperParts {
  readonly values: WrappedValues;
  readonly keys: KeyProvider;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of each step. */
  readonly onProgress?: (progress: RewrapProgress) => void;
  /** Nothing stored needs a key other than the current one. */
  readonly onSettled?: () => void;
  readonly settleMs?: number;
}

/**
 * Seals everything anew that another than the current key wraps, in the background. Where it stands is read from the
 * stored values alone, so it goes on after a kill where it was. Each value is replaced only where it is still the one
 * that was read: what is written meanwhile is never lost, and is under the current key anyway.
 */
export class Rewrapper {
  readonly #parts: RewrapperParts;
  readonly #closing = new AbortController();
  #progress: RewrapProgress;
  #running: Promise<void> | null = null;
  #woken = Promise.withResolvers<void>();

  constructor(parts: RewrapperParts) {
    this.#parts = parts;
    this.#progress = {
      state: 'rewrapping',
      currentKeyId: parts.keys.currentKeyId,
      wrappingSince: null,
      remaining: 0,
      rewrapped: 0,
      failed: 0,
    };
  }

  get progress(): RewrapProgress {
    return this.#progress;
  }

  /** Begins to look through what is stored, now and after each `wake`. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** The keys may have changed. */
  wake(): void {
    if (this.#parts.keys.currentKeyId !== this.#progress.currentKeyId)
      this.#tell({
        state: 'rewrapping',
        currentKeyId: this.#parts.keys.currentKeyId,
        wrappingSince: this.#parts.clock(),
      });
    this.#woken.resolve();
  }

  /** Waits for the values under way. May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#woken = Promise.withResolvers();
      const pause = await this.#attempt();
      if (signal.aborted) return;
      await this.#rest(pause);
    }
  }

  /** One pass; answers how long to rest before the next, or null: until the keys change. */
  async #attempt(): Promise<number | null> {
    const { clock, log, settleMs = SETTLE_MS, onSettled } = this.#parts;
    const beganAt = clock();
    const { currentKeyId, wrappingSince } = this.#progress;
    try {
      const done = await this.#pass();
      if (this.#closing.signal.aborted || currentKeyId !== this.#progress.currentKeyId) return 0;
      if (done > 0) log.info('vault.rewrapped', { count: done });
      const isLateEnough = wrappingSince === null || beganAt - wrappingSince >= settleMs;
      const settled = isLateEnough && this.#progress.remaining === 0;
      if (settled) {
        if (this.#progress.state !== 'settled') log.info('vault.settled', { reason: currentKeyId });
        this.#tell({ state: 'settled' });
        onSettled?.();
        return null;
      }
      this.#tell({ state: 'waiting' });
      return this.#progress.failed > 0 && done === 0 ? HOPELESS_MS : Math.min(settleMs, RETRY_MS);
    } catch (error) {
      log.warn('vault.rewrapStopped', { error });
      this.#tell({ state: 'waiting' });
      return RETRY_MS;
    }
  }

  async #rest(pause: number | null): Promise<void> {
    const { signal } = this.#closing;
    const waiting = new AbortController();
    const ended = AbortSignal.any([signal, waiting.signal]);
    const closed = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => closed.resolve(), { signal: waiting.signal });
    if (signal.aborted) closed.resolve();
    const passed =
      pause === null ? [] : [delay(pause, undefined, { ref: false, signal: ended }).catch(() => undefined)];
    await Promise.race([...passed, this.#woken.promise, closed.promise]);
    waiting.abort();
  }

  /** Looks through everything once; answers how many values it has replaced. */
  async #pass(): Promise<number> {
    this.#tell({ state: 'rewrapping', remaining: await this.#count(), failed: 0 });
    if (this.#progress.remaining === 0) return 0;
    const before = this.#progress.rewrapped;
    for await (const { column, values } of this.#pages()) {
      for (let at = 0; at < values.length && !this.#closing.signal.aborted; at += AT_ONCE) {
        const some = values.slice(at, at + AT_ONCE);
        const beganAt = performance.now();
        const results = await Promise.allSettled(some.map((value) => this.#replace(column, value)));
        for (const result of results) if (result.status === 'rejected') throw result.reason;
        // Half of the thread's time at most: nobody who talks or writes shall notice.
        await delay(Math.min(MAX_PAUSE_MS, performance.now() - beganAt), undefined, { ref: false });
      }
    }
    // What changed meanwhile, or failed, is found by counting again.
    this.#tell({ remaining: await this.#count() });
    return this.#progress.rewrapped - before;
  }

  async #count(): Promise<number> {
    let count = 0;
    for await (const { values } of this.#pages()) count += values.length;
    return count;
  }

  /** The values that another than the current key wraps. */
  async *#pages(): AsyncGenerator<{ column: ValueColumn; values: readonly StoredValue[] }> {
    const { values, keys } = this.#parts;
    for (const column of values.columns())
      for (let after: StoredValue['row'] | null = null; ; ) {
        if (this.#closing.signal.aborted) return;
        const current = keys.currentKeyId;
        const page = values.page(column, { after, limit: PAGE_ROWS, except: [current] });
        const others = page.values.filter(({ sealed }) =>
          providerKeysOf(readLabel(sealed)).some((keyId) => keyId !== current),
        );
        if (others.length > 0) yield { column, values: others };
        after = page.next;
        if (after === null) break;
        await setImmediate();
      }
  }

  async #replace(column: ValueColumn, value: StoredValue): Promise<void> {
    const { values, keys, log } = this.#parts;
    try {
      const anew = await rewrap(keys, value.sealed);
      if (!(await values.replace(column, value, anew))) return;
      const { rewrapped, remaining } = this.#progress;
      this.#tell({ rewrapped: rewrapped + 1, remaining: Math.max(0, remaining - 1) });
    } catch (error) {
      // What may pass ends this pass; the next begins after a while.
      if (error instanceof AppError && error.retryable) throw error;
      // One that does not open must not keep the others. `vault verify` names it.
      log.error('vault.unreadable', { reason: column.table, error });
      this.#tell({ failed: this.#progress.failed + 1 });
    }
  }

  #tell(change: Partial<RewrapProgress>): void {
    this.#progress = { ...this.#progress, ...change };
    this.#parts.onProgress?.(this.#progress);
  }
}
