import { eventually as sharedEventually } from '../../helpers/eventually.ts';

const DEFAULT_PATIENCE_MS = 8_000;

/** Waits until the condition holds of what `look` answers, and answers that. */
export async function eventually<T>(
  look: () => T,
  holds: (seen: T) => boolean,
  patienceMs = DEFAULT_PATIENCE_MS,
): Promise<T> {
  let last: T | undefined;
  const { seen } = await sharedEventually(
    'the condition to hold',
    () => {
      const seen = look();
      last = seen;
      return holds(seen) ? { seen } : null;
    },
    { withinMs: patienceMs, lastSeen: () => last },
  );
  return seen;
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
