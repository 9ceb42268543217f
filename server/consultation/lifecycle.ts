import type { ConsultationEndReason, ConsultationId, Participant, PersonId } from '@teleconsult/protocol';
import { endCall } from './call.ts';
import { type Next, next } from './outcome.ts';
import type { ConsultationState, FactDraft } from './state.ts';

/** A consultation as the host application asked for it; its first entry has sequence 1. */
export function requestConsultation(
  id: ConsultationId,
  participants: readonly Participant[],
  now: number,
): Next {
  const state: ConsultationState = {
    id,
    createdAt: now,
    participants,
    phase: { name: 'requested', since: now },
    call: null,
    callRevision: 0,
    sequence: 0,
  };
  return next(state, [{ fact: { kind: 'consultation.requested' }, by: null }]);
}

export const enterWaitingRoom = (state: ConsultationState, by: PersonId, now: number): Next =>
  next({ ...state, phase: { name: 'waiting', since: now } }, [
    { fact: { kind: 'consultation.waiting' }, by },
  ]);

export const acceptConsultation = (state: ConsultationState, by: PersonId, now: number): Next =>
  next({ ...state, phase: { name: 'active', since: now } }, [
    { fact: { kind: 'consultation.accepted' }, by },
  ]);

/** Ends it, and first the call that runs in it. After this nothing gets a sequence any more. */
export function endConsultation(
  state: ConsultationState,
  ending: { reason: ConsultationEndReason; by: PersonId | null; note?: string | undefined },
  now: number,
): Next {
  const { reason, by, note } = ending;
  const withoutCall =
    state.call === null ? next(state) : endCall(state, state.call, { reason: 'completed', by, now });
  const fact: FactDraft = { kind: 'consultation.ended', reason, ...(note === undefined ? {} : { note }) };
  const ended = next({ ...withoutCall.state, phase: { name: 'ended', since: now, reason } }, [{ fact, by }]);
  return { ...ended, facts: [...withoutCall.facts, ...ended.facts], effects: withoutCall.effects };
}
