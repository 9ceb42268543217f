import type {
  ConsultationEndReason,
  ConsultationId,
  DeclineReason,
  Participant,
  PersonId,
  Subject,
} from '@teleconsult/protocol';
import { endCall } from './call-ending.ts';
import { type Attributed, type Next, next } from './outcome.ts';
import { NO_PHONE_MEMORY } from './phone-state.ts';
import type { ConsultationState, FactDraft, Phase } from './state.ts';

export interface ConsultationRequest {
  readonly participants: readonly Participant[];
  /** The doctor who asks a colleague for a thread, or whose health channel it is; null makes a visit. */
  readonly requestedBy?: PersonId | null;
  readonly subject?: Subject | null;
}

const FRESH = {
  call: null,
  callRevision: 0,
  followUps: [],
  contactRefusedSince: null,
  phone: NO_PHONE_MEMORY,
  sequence: 0,
} as const satisfies Partial<ConsultationState>;

/** A consultation as it was asked for; its first entry has sequence 1. */
export function requestConsultation(
  id: ConsultationId,
  { participants, requestedBy = null, subject = null }: ConsultationRequest,
  now: number,
): Next {
  const state: ConsultationState = {
    ...FRESH,
    id,
    kind: requestedBy === null ? 'visit' : 'colleagues',
    createdAt: now,
    participants,
    requestedBy,
    subject,
    phase: { name: 'requested', since: now },
  };
  const requested: Attributed = { fact: { kind: 'consultation.requested' }, by: requestedBy };
  // Whoever reads the thread later finds for whom it was, and by what authorisation.
  const forWhom: Attributed = { fact: { kind: 'consultation.subjectSet', subject }, by: null };
  return next(state, subject === null ? [requested] : [requested, forWhom]);
}

/** A doctor's own place for clips, with that doctor alone. It is active from its beginning, and time does not end it. */
export function openHealthChannel(id: ConsultationId, doctor: Participant, now: number): Next {
  const { personId: by } = doctor;
  const state: ConsultationState = {
    ...FRESH,
    id,
    kind: 'health_channel',
    createdAt: now,
    participants: [doctor],
    requestedBy: by,
    subject: null,
    phase: { name: 'active', since: now },
  };
  return next(state, [
    { fact: { kind: 'consultation.requested' }, by },
    { fact: { kind: 'consultation.accepted' }, by },
  ]);
}

export const enterWaitingRoom = (state: ConsultationState, by: PersonId, now: number): Next =>
  next({ ...state, phase: { name: 'waiting', since: now } }, [
    { fact: { kind: 'consultation.waiting' }, by },
  ]);

/** Whether this doctor decides: of two colleagues the one who was asked. */
export const decides = (state: ConsultationState, by: PersonId): boolean => state.requestedBy !== by;

export const acceptConsultation = (state: ConsultationState, by: PersonId, now: number): Next =>
  next({ ...state, phase: { name: 'active', since: now } }, [
    { fact: { kind: 'consultation.accepted' }, by },
  ]);

/** Ends it, and first the call that runs in it. After this only what comes after a visit gets a sequence. */
export function endConsultation(
  state: ConsultationState,
  ending: {
    reason: ConsultationEndReason;
    by: PersonId | null;
    declineReason?: DeclineReason | undefined;
    note?: string | undefined;
  },
  now: number,
): Next {
  const { reason, by, note, declineReason } = ending;
  const activeSince = state.phase.name === 'active' ? state.phase.since : null;
  const { call } = state;
  const withoutCall =
    call === null
      ? next(state)
      : endCall(state, call, { reason: call.phase.name === 'ringing' ? 'cancelled' : 'completed', by, now });
  const fact: FactDraft = {
    kind: 'consultation.ended',
    reason,
    ...(declineReason === undefined ? {} : { declineReason }),
    ...(note === undefined ? {} : { note }),
  };
  const phase: Phase = {
    name: 'ended',
    since: now,
    reason,
    declineReason: declineReason ?? null,
    activeSince,
  };
  const ended = next({ ...withoutCall.state, phase }, [{ fact, by }]);
  return { ...ended, facts: [...withoutCall.facts, ...ended.facts], effects: withoutCall.effects };
}
