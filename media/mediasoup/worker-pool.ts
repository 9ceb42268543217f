import { SfuError } from '../sfu.ts';
import type { MediaWorker } from './media-worker.ts';
import type { MediasoupSfuOptions } from './settings.ts';
import { WorkerSlot } from './worker-slot.ts';

/** The workers of one SFU, and the choice among them. */
export class WorkerPool {
  #slots: readonly WorkerSlot[] = [];
  #deaths = 0;
  #closing: Promise<void> | undefined;
  /** Called when a worker has started or the pool closes. */
  readonly #waiting = new Set<() => void>();

  /** Throws when any of the workers cannot be started, and ends the others. */
  static async open(settings: MediasoupSfuOptions): Promise<WorkerPool> {
    const pool = new WorkerPool();
    const opened = await Promise.allSettled(
      Array.from({ length: settings.workers }, (_, index) =>
        WorkerSlot.open({
          settings,
          index,
          onStarted: () => pool.#wake(),
          onDied: () => {
            pool.#deaths += 1;
          },
        }),
      ),
    );
    pool.#slots = opened.flatMap((slot) => (slot.status === 'fulfilled' ? [slot.value] : []));
    const failed = opened.find((slot) => slot.status === 'rejected');
    if (failed) {
      await pool.close();
      throw new Error('a media worker could not be started', { cause: failed.reason });
    }
    return pool;
  }

  get size(): number {
    return this.#slots.length;
  }

  get alive(): readonly MediaWorker[] {
    return this.#slots.flatMap((slot) => slot.worker ?? []);
  }

  /** Deaths of workers since the pool was opened. */
  get deaths(): number {
    return this.#deaths;
  }

  /** The least loaded worker alive; waits for a replacement until `giveUpAt` (of `performance.now()`). */
  async leastLoaded(giveUpAt: number): Promise<MediaWorker> {
    while (this.#closing === undefined) {
      const [first, ...others] = this.alive;
      if (first) return others.reduce((least, next) => (next.rooms < least.rooms ? next : least), first);
      const leftMs = giveUpAt - performance.now();
      if (leftMs <= 0) break;
      await this.#nextStart(leftMs);
    }
    throw new SfuError('no_worker');
  }

  /** Ends all workers; resolves when no process is left. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#endAll();
    return this.#closing;
  }

  async #endAll(): Promise<void> {
    this.#wake();
    await Promise.all(this.#slots.map((slot) => slot.close()));
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  async #nextStart(longestMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, longestMs);
    this.#waiting.add(resolve);
    await promise;
    this.#waiting.delete(resolve);
    clearTimeout(timer);
  }
}
