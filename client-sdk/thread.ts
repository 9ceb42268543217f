import type { Entry } from '@teleconsult/protocol';

/**
 * What this device holds of a thread. `unopened`: entries may be heard before the first page has come. `open`: a
 * gapless run, and entries that arrived ahead of their turn. Transitions are pure and replace the record.
 */
export type Thread = UnopenedThread | OpenThread;

export interface UnopenedThread {
  readonly kind: 'unopened';
  readonly early: readonly Entry[];
}

export interface OpenThread {
  readonly kind: 'open';
  /** Each sequence once, ascending, without gaps. */
  readonly entries: readonly Entry[];
  /** Sequence of the last entry held; of the one before the first, while none is. */
  readonly lastSequence: number;
  /** Ascending; every sequence is greater than `lastSequence + 1`. */
  readonly early: readonly Entry[];
  /** The highest sequence known to exist. While it exceeds `lastSequence`, something is missing. */
  readonly newestKnown: number;
}

export interface Merge {
  readonly thread: OpenThread;
  /** What the run grew by: ascending, following what was held before. */
  readonly added: readonly Entry[];
}

/**
 * Entries kept ahead of a gap. A page brings 200, so more would only be fetched again; the ones dropped are the
 * farthest from the gap.
 */
const MAX_EARLY = 400;

export const emptyThread: UnopenedThread = { kind: 'unopened', early: [] };

/** Before the first page has come, entries can only be kept. */
export function hearUnopened(thread: UnopenedThread, entries: readonly Entry[]): UnopenedThread {
  return { kind: 'unopened', early: sortedEarly([...thread.early, ...entries], -1) };
}

/** The first page: the newest entries when it was taken. `lastSequence` is the thread's at that moment. */
export function openThread(thread: UnopenedThread, page: readonly Entry[], lastSequence: number): Merge {
  const sorted = sortedEarly(page, -1);
  const before = (sorted[0]?.sequence ?? lastSequence + 1) - 1;
  const empty: OpenThread = {
    kind: 'open',
    entries: [],
    lastSequence: before,
    early: [],
    newestKnown: Math.max(before, lastSequence),
  };
  return hear(empty, [...sorted, ...thread.early]);
}

/** Entries in any order, repeated or not, live or from a page. */
export function hear(thread: OpenThread, heard: readonly Entry[]): Merge {
  const waiting = sortedEarly([...thread.early, ...heard], thread.lastSequence);
  const added: Entry[] = [];
  let next = thread.lastSequence + 1;
  for (const entry of waiting) {
    if (entry.sequence !== next) break;
    added.push(entry);
    next += 1;
  }
  const early = waiting.slice(added.length, added.length + MAX_EARLY);
  const newestKnown = Math.max(thread.newestKnown, next - 1, waiting.at(-1)?.sequence ?? 0);
  const entries = added.length === 0 ? thread.entries : [...thread.entries, ...added];
  return { thread: { kind: 'open', entries, lastSequence: next - 1, early, newestKnown }, added };
}

/** Somebody said that the thread reaches this far. */
export function learnNewest(thread: OpenThread, sequence: number): OpenThread {
  return sequence <= thread.newestKnown ? thread : { ...thread, newestKnown: sequence };
}

/** A page from below the first entry held. Only what joins the run without a gap is taken. */
export function prependOlder(thread: OpenThread, page: readonly Entry[]): Merge {
  let next = firstSequence(thread) - 1;
  const added: Entry[] = [];
  for (const entry of sortedEarly(page, -1).reverse()) {
    if (entry.sequence > next) continue;
    if (entry.sequence < next) break;
    added.unshift(entry);
    next -= 1;
  }
  return { thread: { ...thread, entries: [...added, ...thread.entries] }, added };
}

/** The sequence of the first entry held, or the one the first will have. */
export function firstSequence(thread: OpenThread): number {
  return thread.entries[0]?.sequence ?? thread.lastSequence + 1;
}

export function hasOlder(thread: Thread): boolean {
  return thread.kind === 'open' && firstSequence(thread) > 1;
}

export function isMissingSome(thread: OpenThread): boolean {
  return thread.newestKnown > thread.lastSequence;
}

/** Ascending, each sequence once, only those after `afterSequence`. */
function sortedEarly(entries: readonly Entry[], afterSequence: number): Entry[] {
  const bySequence = new Map<number, Entry>();
  for (const entry of entries) {
    if (entry.sequence > afterSequence) bySequence.set(entry.sequence, entry);
  }
  return [...bySequence.values()].sort((a, b) => a.sequence - b.sequence);
}
