import type { ErrorCode, PersonId } from '@teleconsult/protocol';
import type { CallRecord, ConsultationState, Effect, FactDraft } from './state.ts';

/** A durable fact and who caused it (null: the system or the host application). */
export interface Attributed {
  readonly fact: FactDraft;
  readonly by: PersonId | null;
}

export interface Next {
  readonly kind: 'next';
  readonly state: ConsultationState;
  readonly facts: readonly Attributed[];
  readonly effects: readonly Effect[];
}

export interface Refusal {
  readonly kind: 'refused';
  readonly code: Extract<
    ErrorCode,
    'INVALID' | 'NOT_FOUND' | 'FORBIDDEN' | 'WRONG_STATE' | 'BUSY' | 'CONFLICT' | 'EXPIRED' | 'RESUME_REFUSED'
  >;
  /** Why, for developers; never content. */
  readonly detail?: string;
}

export type Outcome = Next | Refusal;

export const refuse = (code: Refusal['code'], detail?: string): Refusal =>
  detail === undefined ? { kind: 'refused', code } : { kind: 'refused', code, detail };

/** The next state with the facts numbered on: each fact takes one sequence. */
export const next = (
  state: ConsultationState,
  facts: readonly Attributed[] = [],
  effects: readonly Effect[] = [],
): Next => ({ kind: 'next', state: { ...state, sequence: state.sequence + facts.length }, facts, effects });

/** What follows from a state that something else led to, as one. */
export function andThen(first: Next, follow: (state: ConsultationState) => Next): Next {
  const second = follow(first.state);
  return {
    ...second,
    facts: [...first.facts, ...second.facts],
    effects: [...first.effects, ...second.effects],
  };
}

/** The same state with another call; every change of the call raises its revision. */
export const withCall = (state: ConsultationState, call: CallRecord | null): ConsultationState => ({
  ...state,
  call,
  callRevision: state.callRevision + 1,
});
