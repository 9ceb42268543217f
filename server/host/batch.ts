import { AppError, type Entry, type MessageEntry } from '@teleconsult/protocol';
import type { ConsultationEvent, ParticipantCommand } from '../consultation/commands.ts';
import type { ConsultationState, Effect, Timings } from '../consultation/state.ts';
import { step } from '../consultation/step.ts';
import { type EntryCodec, sameMessage } from './entry-codec.ts';
import type { StoredEntry, Withdrawal } from './ports.ts';
import { type FoundMessage, foundIn, type MessageWish } from './thread-targets.ts';

export type SendCommand = Extract<ParticipantCommand, { type: 'send' }>;

/** What can be asked of a consultation's queue. */
export type Submission = ConsultationEvent | MessageWish;

/** What one event did, by itself. */
export interface Stepped {
  readonly before: ConsultationState;
  readonly after: ConsultationState;
  readonly entries: readonly Entry[];
  readonly effects: readonly Effect[];
}

/** A message that was stored earlier: as it is read now, and as it was sent. */
export interface SentBefore {
  readonly entry: MessageEntry;
  readonly original: MessageEntry;
}

export interface Batch {
  /** For each event, in order: what it did, or why it was refused. */
  readonly outcomes: readonly (Stepped | AppError)[];
  readonly stored: readonly StoredEntry[];
  readonly withdrawals: readonly Withdrawal[];
  readonly after: ConsultationState;
}

export interface BatchContext {
  /** The present moment, for deadlines. */
  readonly now: number;
  /** The moment entries get: never before that of the entry before them. */
  readonly at: number;
  readonly codec: EntryCodec;
  readonly timings: Timings;
  /** Messages of the batch that were stored earlier, by `messageKey`. */
  readonly sentBefore: ReadonlyMap<string, SentBefore>;
  /** Messages that wishes of the batch are about, by sequence; those sent in the batch itself are not among them. */
  readonly found: ReadonlyMap<number, FoundMessage>;
}

/** Steps events one after the other. Nothing is written: the batch is what would be. */
export function stepBatch(
  before: ConsultationState,
  events: readonly Submission[],
  context: BatchContext,
): Batch {
  const known = new Map(context.sentBefore);
  const found = new Map(context.found);
  const hasWishes = events.some(isWish);
  const stored: StoredEntry[] = [];
  const withdrawals: Withdrawal[] = [];
  let state = before;
  const unchanged = (entry: Entry): Stepped => ({
    before: state,
    after: state,
    entries: [entry],
    effects: [],
  });

  const withdraw = (entry: Extract<Entry, { kind: 'message.recalled' | 'message.removed' }>): void => {
    const message = found.get(entry.target);
    if (message === undefined) return;
    withdrawals.push({
      sequence: entry.target,
      how: entry.kind === 'message.recalled' ? 'recalled' : 'removed',
      by: entry.sequence,
      attachmentIds: message.attachmentIds,
    });
    found.set(entry.target, { ...message, withdrawn: true, withdrawnBy: entry });
  };

  const stepOne = (event: ConsultationEvent): Stepped | AppError => {
    const outcome = step(state, event, context);
    if (outcome.kind === 'refused') return new AppError(outcome.code, { detail: outcome.detail });
    const entries = outcome.facts.map((fact, index) => {
      const sealed = context.codec.seal(fact, state.sequence + 1 + index, context.at);
      stored.push(sealed.stored);
      return sealed.entry;
    });
    for (const entry of entries) {
      if (entry.kind === 'message.sent' && hasWishes) found.set(entry.sequence, foundIn(entry));
      if (entry.kind === 'message.recalled' || entry.kind === 'message.removed') withdraw(entry);
    }
    const stepped = { before: state, after: outcome.state, entries, effects: outcome.effects };
    state = outcome.state;
    return stepped;
  };

  const outcomes = events.map((event): Stepped | AppError => {
    if (isWish(event)) {
      const target = found.get(event.sequence);
      if (target === undefined) return new AppError('NOT_FOUND', { detail: 'there is no such message' });
      const mayAsk = event.type === 'message.remove' || event.by === target.by;
      if (target.withdrawnBy !== null && mayAsk) return unchanged(target.withdrawnBy);
      return stepOne(
        event.type === 'message.recall'
          ? { type: 'recall', by: event.by, target }
          : { type: 'host.remove', target, reason: event.reason },
      );
    }
    if (event.type !== 'send') return stepOne(event);
    const earlier = known.get(messageKey(event));
    if (earlier !== undefined)
      return sameMessage(earlier.original, event) ? unchanged(earlier.entry) : new AppError('CONFLICT');
    const sent = stepOne(event);
    const [first] = sent instanceof AppError ? [] : sent.entries;
    if (first?.kind === 'message.sent') known.set(messageKey(event), { entry: first, original: first });
    return sent;
  });
  return { outcomes, stored, withdrawals, after: state };
}

export const isWish = (event: Submission): event is MessageWish =>
  event.type === 'message.recall' || event.type === 'message.remove';

export const messageKey = (command: Pick<SendCommand, 'by' | 'clientMessageId'>): string =>
  `${command.by}|${command.clientMessageId}`;
