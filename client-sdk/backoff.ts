/** Pure: the number of the attempt (1, 2, …) to a delay in milliseconds. */
export type Backoff = (attempt: number) => number;

export interface BackoffOptions {
  /** Upper bound of the first delay, in milliseconds. */
  readonly firstMs: number;
  /** Upper bound of the second delay; it doubles with each further one. */
  readonly baseMs: number;
  /** No delay is longer. */
  readonly capMs: number;
  /** 0 ≤ random() < 1. */
  readonly random?: () => number;
}

/** No policy of an app makes the SDK wait longer than this, in milliseconds. */
const MAX_DELAY_MS = 60_000;

/**
 * Exponential back-off with full jitter: each delay is uniform between zero and its bound, which spreads the
 * return of many clients after a server restart best (M. Brooker, AWS Architecture Blog, 2015).
 */
export function fullJitter({ firstMs, baseMs, capMs, random = Math.random }: BackoffOptions): Backoff {
  return (attempt) => {
    const bound = attempt <= 1 ? firstMs : Math.min(capMs, baseMs * 2 ** Math.min(attempt - 2, 30));
    return random() * Math.min(bound, capMs);
  };
}

/** Between attempts to connect: a lost connection is tried again within 300 ms, later attempts up to 5 s apart. */
export const defaultReconnectDelay: Backoff = fullJitter({
  firstMs: 300,
  baseMs: 500,
  capMs: 5_000,
});

/** Between attempts of a request that the server refused for now, or whose answer did not come. */
export const retryDelay: Backoff = fullJitter({ firstMs: 250, baseMs: 500, capMs: 10_000 });

/** The policy's delay, made harmless: a number of milliseconds from 0 to a minute. */
export function delayOf(policy: Backoff, attempt: number): number {
  const delayMs = policy(attempt);
  return Number.isFinite(delayMs) ? Math.min(Math.max(delayMs, 0), MAX_DELAY_MS) : MAX_DELAY_MS;
}
