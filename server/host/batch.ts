import { AppError, type Entry, type MessageEntry } from '@teleconsult/protocol';
import type { ConsultationEvent, ParticipantCommand } from '../consultation/commands.ts';
import type { ConsultationState, Effect, Timings } from '../consultation/state.ts';
import { step } from '../consultation/step.ts';
import { type EntryCodec, sameContent } from './entry-codec.ts';
import type { StoredEntry } from './ports.ts';

export type SendCommand = Extract<ParticipantCommand, { type: 'send' }>;

/** What one event did, by itself. */
export interface Stepped {
  readonly before: ConsultationState;
  readonly after: ConsultationState;
  readonly entries: readonly Entry[];
  readonly effects: readonly Effect[];
}

export interface Batch {
  /** For each event, in order: what it did, or why it was refused. */
  readonly outcomes: readonly (Stepped | AppError)[];
  readonly stored: readonly StoredEntry[];
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
  readonly sentBefore: ReadonlyMap<string, MessageEntry>;
}

/** Steps events one after the other. Nothing is written: the batch is what would be. */
export function stepBatch(
  before: ConsultationState,
  events: readonly ConsultationEvent[],
  context: BatchContext,
): Batch {
  const known = new Map(context.sentBefore);
  const stored: StoredEntry[] = [];
  let state = before;
  const outcomes = events.map((event): Stepped | AppError => {
    const earlier = event.type === 'send' ? known.get(messageKey(event)) : undefined;
    if (event.type === 'send' && earlier !== undefined)
      return sameContent(earlier.content, event.content)
        ? { before: state, after: state, entries: [earlier], effects: [] }
        : new AppError('CONFLICT');
    const outcome = step(state, event, context);
    if (outcome.kind === 'refused') return new AppError(outcome.code, { detail: outcome.detail });
    const entries = outcome.facts.map((fact, index) => {
      const sealed = context.codec.seal(fact, state.sequence + 1 + index, context.at);
      stored.push(sealed.stored);
      return sealed.entry;
    });
    const [first] = entries;
    if (event.type === 'send' && first?.kind === 'message.sent') known.set(messageKey(event), first);
    const stepped = { before: state, after: outcome.state, entries, effects: outcome.effects };
    state = outcome.state;
    return stepped;
  });
  return { outcomes, stored, after: state };
}

export const messageKey = (command: SendCommand): string => `${command.by}|${command.clientMessageId}`;
