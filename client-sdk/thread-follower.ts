import type { CallView, ConsultationId, ConsultationView, Entry, RequestResult } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '@teleconsult/protocol/limits';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { Lifetime } from './lifetime.ts';
import { persist, type Signalling, toAppError } from './requests.ts';
import {
  asHeld,
  emptyThread,
  firstSequence,
  hasOlder,
  hear,
  hearUnopened,
  isMissingSome,
  learnNewest,
  type Merge,
  openThread,
  prependOlder,
  type Thread,
  withdraw,
} from './thread.ts';

export interface Snapshot
  extends Pick<RequestResult<'consultation.watch'>, 'queue' | 'marks' | 'unread' | 'online'> {
  readonly consultation: ConsultationView;
  readonly call: CallView | null;
  /** When it was asked for, by this device's monotonic clock in milliseconds: it may know nothing later. */
  readonly askedAt: number;
}

export interface ThreadFollowerOptions {
  readonly consultationId: ConsultationId;
  readonly signalling: Signalling;
  readonly life: Lifetime;
  readonly onEntries: (added: readonly Entry[]) => void;
  /** Entries that were held before are withdrawn now. */
  readonly onUpdated: (updated: readonly Entry[]) => void;
  /** The answer to a watch has been merged; entries between may still be missing. */
  readonly onSnapshot: (snapshot: Snapshot) => void;
  /** After a snapshot, everything that existed when it was taken is held. */
  readonly onCaughtUp: (snapshot: Snapshot) => void;
  /** The server does not show a thread any more that it showed before. */
  readonly onGone: () => void;
}

/** Every connection begins a round: `watching` until the server has answered, then `following` the facts it tells. */
type Phase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'watching'; readonly round: Lifetime }
  | { readonly kind: 'following'; readonly round: Lifetime };

/** How long a fact may be on its way after something else told that it exists, in milliseconds. */
const FACT_PATIENCE_MS = 1_000;
const NEXT_ROUND = new AppError('ABORTED', { detail: 'a new connection began' });

/** Keeps this device's copy of a thread complete: watches it anew after each connect and fetches what is missing. */
export class ThreadFollower {
  readonly #options: ThreadFollowerOptions;
  readonly #opened = Promise.withResolvers<void>();
  #thread: Thread = emptyThread;
  #phase: Phase = { kind: 'idle' };
  #fetching: Promise<void> | null = null;
  #olderQueue: Promise<unknown> = Promise.resolve();

  constructor(options: ThreadFollowerOptions) {
    this.#options = options;
    this.#opened.promise.catch(() => {});
    options.life.onEnd((reason) => this.#opened.reject(reason));
    options.life.onEnd(options.signalling.onConnected(() => this.#startRound()));
    this.#startRound();
  }

  get thread(): Thread {
    return this.#thread;
  }

  get lastSequence(): number {
    return this.#thread.kind === 'open' ? this.#thread.lastSequence : 0;
  }

  /** Resolves when the first page is held. Rejects with why the server does not show this thread. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  handleEntry(entry: Entry): void {
    if (this.#thread.kind === 'unopened') {
      this.#thread = hearUnopened(this.#thread, [entry]);
      return;
    }
    this.#take(hear(this.#thread, [entry]));
    // While a watch is under way, its answer fills the gap.
    if (this.#phase.kind === 'following' && this.#thread.early.length > 0)
      void this.#fetchMissing(this.#phase.round);
  }

  /** Something told that the thread reaches this far. Its entry is probably on its way; if not, it is fetched. */
  learnNewest(sequence: number): void {
    if (this.#thread.kind === 'unopened') return;
    this.#thread = learnNewest(this.#thread, sequence);
    if (this.#phase.kind === 'following' && isMissingSome(this.#thread))
      void this.#fetchLater(this.#phase.round);
  }

  /** One after the other, so that each continues where the one before ended. */
  loadOlder(limit: number, signal?: AbortSignal): Promise<readonly Entry[]> {
    const loading = this.#olderQueue.then(() => this.#loadOlder(limit, signal));
    this.#olderQueue = loading.catch(() => {});
    return loading;
  }

  /** Any page, which is not held. */
  async page(
    range: { after: number } | { before: number },
    { limit = DEFAULT_PAGE_SIZE, signal }: { limit?: number; signal?: AbortSignal } = {},
  ): Promise<{ entries: readonly Entry[]; hasMore: boolean }> {
    const { signalling, consultationId, life } = this.#options;
    const from = 'after' in range ? { afterSequence: range.after } : { beforeSequence: range.before };
    const ask = signalling.request('thread.page', { consultationId, ...from, limit }, { signal });
    const { entries, hasMore } = await life.within(ask, signal);
    return { entries: asHeld(this.#thread, entries), hasMore };
  }

  async search(
    query: string,
    { beforeSequence, limit, signal }: { beforeSequence?: number; limit?: number; signal?: AbortSignal } = {},
  ): Promise<{ matches: readonly Entry[]; nextBefore: number | null }> {
    const { signalling, consultationId, life } = this.#options;
    const payload = {
      consultationId,
      query,
      ...(beforeSequence === undefined ? {} : { beforeSequence }),
      ...(limit === undefined ? {} : { limit }),
    };
    const { matches, nextBefore } = await life.within(
      signalling.request('thread.search', payload, { signal }),
      signal,
    );
    return { matches: asHeld(this.#thread, matches), nextBefore };
  }

  /** Takes a message back, and shows so as soon as the server has agreed. */
  async recall(sequence: number, signal?: AbortSignal): Promise<void> {
    const { signalling, consultationId, life } = this.#options;
    await life.within(signalling.request('message.recall', { consultationId, sequence }, { signal }), signal);
    if (this.#thread.kind === 'open') this.#take(withdraw(this.#thread, sequence));
  }

  #startRound(): void {
    if (this.#options.life.over) return;
    if (this.#phase.kind !== 'idle') this.#phase.round.end(NEXT_ROUND);
    const round = this.#options.life.child();
    this.#phase = { kind: 'watching', round };
    void this.#watch(round).catch((error: unknown) => {
      if (round.over) return;
      // Refused. When that was not the first watch, the next connection tries again.
      this.#phase = { kind: 'idle' };
      const refusal = toAppError(error);
      round.end(refusal);
      this.#opened.reject(refusal);
      if (refusal.code === 'NOT_FOUND' && this.#thread.kind === 'open') this.#options.onGone();
    });
  }

  async #watch(round: Lifetime): Promise<void> {
    const { signalling, consultationId } = this.#options;
    let askedAt = 0;
    const answer = await persist({ signalling, life: round }, () => {
      askedAt = performance.now();
      const held =
        this.#thread.kind === 'open' ? { afterSequence: this.lastSequence, limit: MAX_PAGE_SIZE } : {};
      return signalling.request('consultation.watch', { consultationId, ...held });
    });
    this.#phase = { kind: 'following', round };
    this.#merge(answer);
    const { entries: _entries, hasMore: _hasMore, ...state } = answer;
    const snapshot: Snapshot = { ...state, askedAt };
    this.#options.onSnapshot(snapshot);
    this.#opened.resolve();
    await this.#fetchMissing(round);
    if (!round.over) this.#options.onCaughtUp(snapshot);
  }

  #merge({ entries, consultation, hasMore }: RequestResult<'consultation.watch'>): void {
    const { lastSequence } = consultation;
    switch (this.#thread.kind) {
      case 'unopened':
        this.#take(openThread(this.#thread, entries, lastSequence));
        return;
      case 'open': {
        const merge = hear(learnNewest(this.#thread, lastSequence), entries);
        const next = hasMore ? merge.thread.lastSequence + 1 : 0;
        this.#take({ ...merge, thread: learnNewest(merge.thread, next) });
        return;
      }
      default:
        unreachable(this.#thread);
    }
  }

  async #fetchLater(round: Lifetime): Promise<void> {
    await round.wait(FACT_PATIENCE_MS).catch(() => {});
    if (!round.over) await this.#fetchMissing(round);
  }

  /** Page by page until nothing is missing. Whoever asks meanwhile waits for the same pages. */
  #fetchMissing(round: Lifetime): Promise<void> {
    this.#fetching ??= this.#fetchPages(round).finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #fetchPages(round: Lifetime): Promise<void> {
    try {
      let growing = true;
      while (growing && this.#thread.kind === 'open' && isMissingSome(this.#thread)) {
        growing = await this.#fetchPage(round);
      }
    } catch {
      // The round is over, or the server refuses what it allowed a moment ago: the next watch tells which.
    }
  }

  /** False when the page brought nothing new. */
  async #fetchPage(round: Lifetime): Promise<boolean> {
    const { signalling, consultationId } = this.#options;
    const page = await persist({ signalling, life: round }, () =>
      signalling.request('thread.page', {
        consultationId,
        afterSequence: this.lastSequence,
        limit: MAX_PAGE_SIZE,
      }),
    );
    if (this.#thread.kind !== 'open') return false;
    const before = this.#thread.lastSequence;
    this.#take(hear(learnNewest(this.#thread, page.lastSequence), page.entries));
    return this.lastSequence > before;
  }

  async #loadOlder(limit: number, signal?: AbortSignal): Promise<readonly Entry[]> {
    const { signalling, consultationId, life } = this.#options;
    if (this.#thread.kind === 'unopened' || !hasOlder(this.#thread)) return [];
    const beforeSequence = firstSequence(this.#thread);
    const ask = signalling.request('thread.page', { consultationId, beforeSequence, limit }, { signal });
    const page = await life.within(ask, signal);
    if (this.#thread.kind !== 'open') return [];
    const { thread, added } = prependOlder(this.#thread, page.entries);
    this.#thread = thread;
    return added;
  }

  #take({ thread, added, updated }: Merge): void {
    this.#thread = thread;
    if (updated.length > 0) this.#options.onUpdated(updated);
    if (added.length > 0) this.#options.onEntries(added);
  }
}
