import { AppError, type Entry, type MessageEntry } from '@teleconsult/protocol';
import type { ConsultationEvent, ParticipantCommand } from '../consultation/commands.ts';
import type { Attributed, Refusal } from '../consultation/outcome.ts';
import type { ConsultationState, Effect, Timings } from '../consultation/state.ts';
import { step } from '../consultation/step.ts';
import { dueAt } from '../consultation/tick.ts';
import { type EntryCodec, sameContent } from './entry-codec.ts';
import type { Clock, ConsultationStore, StateIndex, StoredEntry } from './ports.ts';

/** Most events one commit takes, so that one busy consultation cannot hold a transaction for long. */
const BATCH_SIZE = 256;
/** Most events that may wait. Beyond it the sender is told to slow down. */
const QUEUE_LIMIT = 5_000;

type SendCommand = Extract<ParticipantCommand, { type: 'send' }>;

/** What a committed event led to. `entries` and `effects` are those of this event alone. */
export interface Committed {
  readonly state: ConsultationState;
  readonly entries: readonly Entry[];
  readonly effects: readonly Effect[];
}

/** What one commit changed, for those who must be told. */
export interface Change {
  readonly before: ConsultationState;
  readonly after: ConsultationState;
  readonly entries: readonly Entry[];
  readonly effects: readonly Effect[];
}

interface Job {
  readonly event: ConsultationEvent;
  readonly resolve: (committed: Committed) => void;
  readonly reject: (error: AppError) => void;
}

/** A stepped job that waits for its commit. */
interface Prepared extends Committed {
  readonly job: Job;
}

export interface ActorParts {
  readonly store: ConsultationStore;
  readonly codec: EntryCodec;
  readonly clock: Clock;
  readonly timings: Timings;
  /** Called after each commit, in order, before the callers are answered. */
  readonly onChange: (change: Change) => void;
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
  #draining = false;
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

  get idle(): boolean {
    return !this.#draining && this.#queue.length === 0;
  }

  /** True once another writer was found to own this consultation; the actor must be loaded anew. */
  get stale(): boolean {
    return this.#stale;
  }

  submit(event: ConsultationEvent): Promise<Committed> {
    if (this.#queue.length >= QUEUE_LIMIT) return Promise.reject(new AppError('RATE_LIMITED'));
    return new Promise<Committed>((resolve, reject) => {
      this.#queue.push({ event, resolve, reject });
      if (!this.#draining) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    while (this.#queue.length > 0) {
      const jobs = this.#queue.splice(0, BATCH_SIZE);
      try {
        if (!(await this.#commit(jobs, null))) await this.#commit(jobs, await this.#sentBefore(jobs));
      } catch (cause) {
        const error = cause instanceof AppError ? cause : new AppError('INTERNAL', { cause });
        for (const job of jobs) job.reject(error);
      }
    }
    this.#draining = false;
  }

  /**
   * Steps and writes a batch. Messages are taken for new, and the store's uniqueness is asked only by writing;
   * false means that one was stored earlier and the batch must be run again knowing which (`sentBefore`).
   */
  async #commit(
    jobs: readonly Job[],
    sentBefore: ReadonlyMap<string, MessageEntry> | null,
  ): Promise<boolean> {
    const { store, codec, timings, onChange } = this.#parts;
    const before = this.#state;
    const at = Math.max(this.#parts.clock(), this.#lastAt);
    const known = new Map(sentBefore ?? []);
    const prepared: Prepared[] = [];
    const refused: { job: Job; error: AppError }[] = [];
    const stored: StoredEntry[] = [];
    const entries: Entry[] = [];
    const effects: Effect[] = [];
    let state = before;
    const seal = (fact: Attributed, sequence: number): Entry => {
      const sealed = codec.seal(fact, sequence, at);
      stored.push(sealed.stored);
      entries.push(sealed.entry);
      return sealed.entry;
    };
    for (const job of jobs) {
      if (job.event.type === 'send') {
        const earlier = known.get(messageKey(job.event));
        if (earlier !== undefined) {
          if (sameContent(earlier.content, job.event.content))
            prepared.push({ job, state, entries: [earlier], effects: [] });
          else refused.push({ job, error: new AppError('CONFLICT') });
          continue;
        }
      }
      const outcome = step(state, job.event, { now: at, timings });
      if (outcome.kind === 'refused') {
        refused.push({ job, error: refusal(outcome) });
        continue;
      }
      const firstSequence = state.sequence + 1;
      state = outcome.state;
      const own = outcome.facts.map((fact, index) => seal(fact, firstSequence + index));
      if (job.event.type === 'send' && own[0]?.kind === 'message.sent')
        known.set(messageKey(job.event), own[0]);
      effects.push(...outcome.effects);
      prepared.push({ job, state, entries: own, effects: outcome.effects });
    }
    const stateChanged = state.phase !== before.phase || state.callRevision !== before.callRevision;
    if (stored.length > 0 || stateChanged) {
      const result = await store.append({
        consultationId: before.id,
        entries: stored,
        state: stateChanged ? { sealed: codec.sealState(state), index: indexOf(state, timings) } : null,
      });
      if (result === 'duplicate_message' && sentBefore === null) return false;
      if (result !== 'committed') {
        this.#stale = true;
        throw new AppError('STORAGE_UNAVAILABLE', { detail: 'the consultation has another owner' });
      }
      this.#state = state;
      this.#lastAt = at;
      onChange({ before, after: state, entries, effects });
    }
    for (const { job, error } of refused) job.reject(error);
    for (const { job, ...committed } of prepared) job.resolve(committed);
    return true;
  }

  /** The messages of this batch that were stored earlier. */
  async #sentBefore(jobs: readonly Job[]): Promise<ReadonlyMap<string, MessageEntry>> {
    const found = new Map<string, MessageEntry>();
    for (const { event } of jobs) {
      if (event.type !== 'send' || found.has(messageKey(event))) continue;
      const stored = await this.#parts.store.findMessage(this.#state.id, event.by, event.clientMessageId);
      if (stored === null) continue;
      const entry = this.#parts.codec.open(stored);
      if (entry.kind === 'message.sent') found.set(messageKey(event), entry);
    }
    return found;
  }
}

export const indexOf = (state: ConsultationState, timings: Timings): StateIndex => ({
  phase: state.phase.name,
  inCall: state.call !== null,
  dueAt: dueAt(state, timings),
});

const messageKey = (command: SendCommand): string => `${command.by}|${command.clientMessageId}`;

const refusal = ({ code, detail }: Refusal): AppError => new AppError(code, { detail });
