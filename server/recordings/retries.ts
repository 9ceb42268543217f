import { setTimeout as wait } from 'node:timers/promises';

/** Within this time tries count together. */
const WINDOW_MS = 60_000;
/** A segment that ran for so long was sound: what ended it has nothing to do with what ended others. */
const SOUND_MS = 10_000;
/** The first try is made at once. With the time a recorder takes to start, none comes later than 5 s after the last. */
const WAITS_MS = [0, 250, 1_000, 2_000, 3_000];
/** A disk does not get room within a moment. */
const STORAGE_WAIT_MS = 3_000;

/** How long to wait before a track is recorded anew, so that what always fails is not tried all the time. */
export class Retries {
  #failures: number[] = [];

  /** @param ranMs how long the segment ran that ended by itself now; 0 for one that never began */
  failed(now: number, ranMs: number, why: 'media' | 'storage'): number {
    this.#failures = ranMs >= SOUND_MS ? [] : this.#failures.filter((at) => now - at < WINDOW_MS);
    const waitMs = WAITS_MS[Math.min(this.#failures.length, WAITS_MS.length - 1)] ?? 0;
    this.#failures.push(now);
    return why === 'storage' ? Math.max(waitMs, STORAGE_WAIT_MS) : waitMs;
  }
}

/** Resolves early when the signal says so. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0 && !signal.aborted) await wait(ms, undefined, { signal }).catch(() => undefined);
}
