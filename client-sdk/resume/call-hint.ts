import type { CallToRestore } from '../api.ts';

const STORAGE_KEY = 'teleconsult.call';

/**
 * Which call is kept, where it is read without waiting: a database opens later than a page is drawn. It holds ids alone,
 * and nothing is restored by it.
 */
export function hint(owner: string, call: CallToRestore | null): void {
  // Storage may be missing (Node), switched off, or full; then the page hears of the call a moment later.
  try {
    if (call === null) globalThis.localStorage?.removeItem(STORAGE_KEY);
    else globalThis.localStorage?.setItem(STORAGE_KEY, JSON.stringify([owner, call]));
  } catch {
    // See above.
  }
}

/** Null when the hint is another person's, or there is none. */
export function hinted(owner: string): CallToRestore | null {
  try {
    const [of, call] = JSON.parse(globalThis.localStorage?.getItem(STORAGE_KEY) ?? '[]') as [
      string,
      CallToRestore,
    ];
    return of === owner ? call : null;
  } catch {
    return null;
  }
}
