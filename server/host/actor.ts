import { AppError, type Entry } from '@teleconsult/protocol';
import type { ConsultationState, Effect, Timings } from '../consultation/state.ts';
import { dueAt } from '../consultation/tick.ts';
import { isWish, messageKey, type SentBefore, type Stepped, type Submission, stepBatch } from './batch.ts';
import type { EntryCodec } from './entry-codec.ts';
import type { Clock, Commit, ConsultationStore, StateIndex } from './ports.ts';
import { type FoundMessage, findMessage } from './thread-targets.ts';

/** Most events one commit takes, so that one busy consultation cannot hold a transaction for long. */
const BATCH_SIZE = 256;
/** Most events that may wait. Beyond it the sender is told to slow down. */
const QUEUE_LIMIT = 5_000;

/** What a committed event led to. `entries` and `effects` are those of this event alone. */
export interface Committed {
  readonly state: ConsultationState;
  readonly entries: readonly Entry[];
  readonly effects: readonly Effect[];
}

interface Job {
  readonly event: Submission;
  readonly resolve: (committed: Committed) => void;
  readonly reject: (error: AppError) => void;
}

export interface ActorParts {
  readonly store: ConsultationStore;
  readonly codec: EntryCodec;
  readonly clock: Clock;
  readonly timings: Timings;
  /** Called after a commit for each event that changed something, in order, before the callers are answered. */
  readonly onChange: (change: Stepped) => void;
}

/**
 * The serial queue of one consultation. Everything that waits is stepped together and committed as one write;
 * nobody is answered and nothing is published before that write is on disk. A failed write leaves the state as
 * it was and every caller of the batch with an error.
 */
export class ConsultationActor {
  readonly #parts: ActorParts;
  #state: ConsultationState;
  #lastAt: number;
  #queue: Job[] = [];
  #drained: Promise<void> | null = null;
  #stale = false;

  constructor(parts: ActorParts, state: ConsultationState, lastAt: number) {
    this.#parts = parts;
    this.#state = state;
    this.#lastAt = lastAt;
  }

  /** The committed state. */
  get state(): ConsultationState {
    return this.#state;
  }

  /** Resolves when nothing waits and nothing is being written. */
  get settled(): Promise<void> {
    return this.#drained ?? Promise.resolve();
  }

  get idle(): boolean {
    return this.#drained === null;
  }

  /** True once another writer was found to own this consultation; the actor must be loaded anew. */
  get stale(): boolean {
    return this.#stale;
  }

  /** Takes nothing more; resolves when what was being written is on disk. For a consultation that is erased. */
  async giveUp(): Promise<void> {
    this.#stale = true;
    await this.settled;
  }

  submit(event: Submission): Promise<Committed> {
    if (this.#stale) return Promise.reject(otherOwner());
    if (this.#queue.length >= QUEUE_LIMIT) return Promise.reject(new AppError('RATE_LIMITED'));
    return new Promise<Committed>((resolve, reject) => {
      this.#queue.push({ event, resolve, reject });
      this.#drained ??= this.#drain();
    });
  }

  /** Never rejects: what goes wrong is told to those it concerns. */
  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const jobs = this.#queue.splice(0, BATCH_SIZE);
      try {
        if (this.#stale) throw otherOwner();
        const found = await this.#found(jobs);
        if (!(await this.#commit(jobs, found, null)))
          await this.#commit(jobs, found, await this.#sentBefore(jobs));
      } catch (cause) {
        const error = cause instanceof AppError ? cause : new AppError('INTERNAL', { cause });
        for (const job of jobs) job.reject(error);
      }
    }
    // In the same turn as the last look at the queue: what is submitted a moment later begins a new one.
    this.#drained = null;
  }

  /**
   * Steps and writes a batch. Messages are taken for new, and the store's uniqueness is asked only by writing;
   * false means that one may have been stored earlier and the batch must be run again knowing which (`sentBefore`).
   */
  async #commit(
    jobs: readonly Job[],
    found: ReadonlyMap<number, FoundMessage>,
    sentBefore: ReadonlyMap<string, SentBefore> | null,
  ): Promise<boolean> {
    const { store, codec, timings, clock, onChange } = this.#parts;
    const before = this.#state;
    const now = clock();
    const at = Math.max(now, this.#lastAt);
    const events = jobs.map(({ event }) => event);
    const batch = stepBatch(before, events, {
      now,
      at,
      codec,
      timings,
      found,
      sentBefore: sentBefore ?? new Map(),
    });
    // A refused message may be the repeat of one that was taken when it still could be.
    const repeats = events.some((event, index) => event.type === 'send' && isRefused(batch.outcomes[index]));
    if (repeats && sentBefore === null) return false;
    const { after, stored, withdrawals, outcomes } = batch;
    // A tick comes when the store says that something is due; where nothing is, the store's moment is out of date.
    const stateChanged =
      after.phase !== before.phase ||
      after.callRevision !== before.callRevision ||
      after.participants !== before.participants ||
      after.subject !== before.subject ||
      after.followUps !== before.followUps ||
      after.contactRefusedSince !== before.contactRefusedSince ||
      after.phone !== before.phone ||
      events.some(({ type }) => type === 'tick');
    if (stored.length > 0 || stateChanged) {
      const state = stateChanged ? { sealed: codec.sealState(after), index: indexOf(after, timings) } : null;
      const result = await store.append({
        consultationId: before.id,
        entries: stored,
        state,
        ...(withdrawals.length > 0 && { withdrawals }),
        ...(after.participants !== before.participants && peopleChanged(before, after)),
      });
      if (result === 'duplicate_message' && sentBefore === null) return false;
      if (result !== 'committed') {
        this.#stale = true;
        throw otherOwner();
      }
      this.#state = after;
      this.#lastAt = stored.length > 0 ? at : this.#lastAt;
      for (const outcome of outcomes)
        if (!isRefused(outcome) && outcome.before !== outcome.after) onChange(outcome);
    }
    for (const [index, job] of jobs.entries()) settle(job, outcomes[index]);
    return true;
  }

  /** The messages of this batch that were stored earlier. */
  async #sentBefore(jobs: readonly Job[]): Promise<ReadonlyMap<string, SentBefore>> {
    const { store, codec } = this.#parts;
    const found = new Map<string, SentBefore>();
    for (const { event } of jobs) {
      if (event.type !== 'send' || found.has(messageKey(event))) continue;
      const stored = await store.findMessage(this.#state.id, event.by, event.clientMessageId);
      if (stored === null) continue;
      const [entry, original] = [codec.open(stored), codec.openOriginal(stored)];
      if (entry.kind === 'message.sent' && original.kind === 'message.sent')
        found.set(messageKey(event), { entry, original });
    }
    return found;
  }

  /** The messages that wishes of this batch are about. Nothing of the thread changes until the batch is written. */
  async #found(jobs: readonly Job[]): Promise<ReadonlyMap<number, FoundMessage>> {
    const found = new Map<number, FoundMessage>();
    for (const { event } of jobs) {
      if (!isWish(event) || found.has(event.sequence)) continue;
      const message = await findMessage(this.#parts, this.#state.id, event.sequence);
      if (message !== null) found.set(event.sequence, message);
    }
    return found;
  }
}

/** What the store may see of a state. */
export function indexOf(state: ConsultationState, timings: Timings): StateIndex {
  const { phase } = state;
  const activeSince =
    phase.name === 'active' ? phase.since : phase.name === 'ended' ? phase.activeSince : null;
  return {
    phase: phase.name,
    inCall: state.call !== null,
    waitingSince: phase.name === 'waiting' ? phase.since : null,
    activeSince,
    endedAt: phase.name === 'ended' && activeSince !== null ? phase.since : null,
    dueAt: dueAt(state, timings),
  };
}

/** Who finds the consultation in their list after the commit and did not before, and the reverse. */
function peopleChanged(
  { participants: before }: ConsultationState,
  { participants: after }: ConsultationState,
): Pick<Commit, 'joined' | 'left'> {
  const joined = after
    .filter(({ personId, role }) => !before.some((one) => one.personId === personId && one.role === role))
    .map(({ personId, role }) => ({ personId, role }));
  const left = before
    .map(({ personId }) => personId)
    .filter((personId) => !after.some((one) => one.personId === personId));
  return { joined, left };
}

const isRefused = (outcome: Stepped | AppError | undefined): outcome is AppError | undefined =>
  outcome === undefined || outcome instanceof AppError;

function settle({ resolve, reject }: Job, outcome: Stepped | AppError | undefined): void {
  if (isRefused(outcome)) reject(outcome ?? new AppError('INTERNAL'));
  else resolve({ state: outcome.after, entries: outcome.entries, effects: outcome.effects });
}

const otherOwner = (): AppError =>
  new AppError('STORAGE_UNAVAILABLE', { detail: 'the consultation has another owner' });
