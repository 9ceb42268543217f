/** How long to wait between attempts, in milliseconds. */
export interface RetryPace {
  readonly firstMs: number;
  /** The delay doubles up to this. */
  readonly mostMs: number;
}

/** No answer makes us wait longer than this. */
const MOST_RETRY_AFTER_MS = 3_600_000;

/** The delay after the `attempts`th failure: it doubles, and a random half of it spreads those who failed together. */
export function retryDelay({ firstMs, mostMs }: RetryPace, attempts: number, random = Math.random): number {
  const bound = Math.min(mostMs, firstMs * 2 ** Math.min(attempts - 1, 30));
  return bound * (0.5 + random() / 2);
}

/** What `Retry-After` asks for (RFC 9110, 10.2.3: seconds or a date), or null. */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null;
  const asked = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isNaN(asked) ? null : Math.min(Math.max(asked, 0), MOST_RETRY_AFTER_MS);
}
