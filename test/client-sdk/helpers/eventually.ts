/** Looks often enough to be quick and seldom enough to leave the processor to what is waited for. */
const LOOK_EVERY_MS = 5;
const DEFAULT_PATIENCE_MS = 8_000;

/**
 * Waits until the condition holds, instead of sleeping. `look` answers what it sees; the error of a wait in vain says
 * what it saw last.
 */
export async function eventually<T>(
  look: () => T,
  holds: (seen: T) => boolean,
  patienceMs = DEFAULT_PATIENCE_MS,
): Promise<T> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const seen = look();
    if (holds(seen)) return seen;
    if (performance.now() > until) throw new Error(`waited in vain; last seen: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** The error code a promise rejects with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
  return 'resolved';
}
