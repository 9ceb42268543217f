import { setTimeout as wait } from 'node:timers/promises';

/** Waits for it, but no longer than that. What it rejects with is thrown only where it came in time. */
export async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  const enough = new AbortController();
  try {
    await Promise.race([work, wait(ms, undefined, { signal: enough.signal }).catch(() => undefined)]);
  } finally {
    enough.abort();
  }
}
