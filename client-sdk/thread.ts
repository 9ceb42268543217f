import type { Entry, MessageEntry } from '@teleconsult/protocol';

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
  /** What was held before and is withdrawn now. */
  readonly updated: readonly Entry[];
}

type How = Extract<MessageEntry['content'], { type: 'withdrawn' }>['how'];

/**
 * Entries kept ahead of a gap. A page brings 200, so more would only be fetched again; the ones dropped are the
 * farthest from the gap.
 */
const MAX_EARLY = 400;
/** Entries held of one thread: years of messages between two people, and about a megabyte. */
const MAX_HELD = 2_000;
/** New entries alone never fill it, so that somebody who reads back can load older ones. */
const MAX_HELD_AS_IT_GROWS = 1_900;
/** What is kept when there were more: letting go of some at once costs less than of one each time. */
const HELD_AFTER_CUT = 1_800;

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
  if (added.length === 0) return { thread: { ...thread, early, newestKnown }, added, updated: [] };
  // A message and its withdrawal may come together.
  const withdrawals = withdrawalsIn(added);
  const shown = withdrawn(added, withdrawals);
  const { thread: before, updated } = withdrawHeld(thread, withdrawals);
  const entries = bounded([...before.entries, ...shown]);
  return {
    thread: { kind: 'open', entries, lastSequence: next - 1, early, newestKnown },
    added: shown,
    updated,
  };
}

/** The server has accepted that a message is taken back; its entry may still be on the way. */
export function withdraw(thread: OpenThread, target: number): Merge {
  const { thread: after, updated } = withdrawHeld(thread, new Map([[target, 'recalled']]));
  return { thread: after, added: [], updated };
}

/** Entries of a page as they are to be shown: the page may have been read before a withdrawal that is held here. */
export function asHeld(thread: Thread, page: readonly Entry[]): readonly Entry[] {
  return thread.kind === 'open' ? withdrawn(page, withdrawalsIn(thread.entries)) : page;
}

/** Somebody said that the thread reaches this far. */
export function learnNewest(thread: OpenThread, sequence: number): OpenThread {
  return sequence <= thread.newestKnown ? thread : { ...thread, newestKnown: sequence };
}

/** A page from below the first entry held. Only what joins the run without a gap is taken, and as much as may be held. */
export function prependOlder(thread: OpenThread, page: readonly Entry[]): Merge {
  let next = firstSequence(thread) - 1;
  const added: Entry[] = [];
  for (const entry of sortedEarly(asHeld(thread, page), -1).reverse()) {
    if (entry.sequence > next) continue;
    if (entry.sequence < next || added.length + thread.entries.length >= MAX_HELD) break;
    added.unshift(entry);
    next -= 1;
  }
  return { thread: { ...thread, entries: [...added, ...thread.entries] }, added, updated: [] };
}

/** The sequence of the first entry held, or the one the first will have. */
export function firstSequence(thread: OpenThread): number {
  return thread.entries[0]?.sequence ?? thread.lastSequence + 1;
}

export function hasOlder(thread: Thread): boolean {
  return thread.kind === 'open' && firstSequence(thread) > 1 && thread.entries.length < MAX_HELD;
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

function bounded(entries: readonly Entry[]): readonly Entry[] {
  return entries.length > MAX_HELD_AS_IT_GROWS ? entries.slice(-HELD_AFTER_CUT) : entries;
}

/** Which messages these entries withdraw. */
function withdrawalsIn(entries: readonly Entry[]): ReadonlyMap<number, How> {
  const withdrawals = new Map<number, How>();
  for (const entry of entries) {
    if (entry.kind === 'message.recalled') withdrawals.set(entry.target, 'recalled');
    if (entry.kind === 'message.removed') withdrawals.set(entry.target, 'removed');
  }
  return withdrawals;
}

function withdrawHeld(
  thread: OpenThread,
  withdrawals: ReadonlyMap<number, How>,
): { readonly thread: OpenThread; readonly updated: readonly Entry[] } {
  const entries = withdrawn(thread.entries, withdrawals);
  const updated = entries.filter((entry, index) => entry !== thread.entries[index]);
  return updated.length === 0 ? { thread, updated } : { thread: { ...thread, entries }, updated };
}

/** The same entries; those that are withdrawn by now in their last form. */
function withdrawn(entries: readonly Entry[], withdrawals: ReadonlyMap<number, How>): readonly Entry[] {
  if (withdrawals.size === 0) return entries;
  return entries.map((entry) => {
    const how = withdrawals.get(entry.sequence);
    if (how === undefined || entry.kind !== 'message.sent' || entry.content.type === 'withdrawn')
      return entry;
    return { ...entry, content: { type: 'withdrawn', how } };
  });
}
