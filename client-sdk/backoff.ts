import type { AppError } from '@teleconsult/protocol/errors';

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

/**
 * What a policy of an app answered, as a delay from 0 to a minute, or null. What is no number, as the promise of an
 * `async` function, is answered by `otherwise` instead.
 */
export function harmlessDelay(answer: unknown, otherwise: () => number | null): number | null {
  if (answer === null) return null;
  if (typeof answer !== 'number' || Number.isNaN(answer)) return otherwise();
  return delayOf(() => answer, 1);
}

/** How far beyond what the server asked for a return is spread, as a share of it. */
const SPREAD = 0.2;

/**
 * The delay, or what the server asked for (`retryAfterMs`) where that is longer, and then somewhat more: who was refused
 * in one moment does not come back in one moment.
 */
export function atLeastAsAsked(
  delayMs: number,
  error: AppError | null,
  random: () => number = Math.random,
): number {
  return Math.max(delayMs, askedOf(error) * (1 + SPREAD * random()));
}

/** What the server asked for, in milliseconds; 0 when it asked for nothing. */
export function askedOf(error: AppError | null): number {
  const askedMs = error?.retryAfterMs ?? 0;
  return askedMs > 0 ? Math.min(askedMs, MAX_DELAY_MS) : 0;
}
