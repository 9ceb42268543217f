import type {
  CallEndReason,
  CallRecording,
  CallView,
  ConsultationView,
  FollowUp,
  FollowUpBoard,
  SeatView,
} from '@teleconsult/protocol';
import { recordedPeople } from './recording.ts';
import { standingOf } from './rights.ts';
import { wayBackOf } from './seats.ts';
import type { CallRecord, ConsultationState, FollowUpRecord, Seat } from './state.ts';

/** The consultation as its participants see it. */
export const viewConsultation = (state: ConsultationState): ConsultationView => ({
  consultationId: state.id,
  kind: state.kind,
  phase: state.phase.name,
  phaseSince: state.phase.since,
  endReason: state.phase.name === 'ended' ? state.phase.reason : null,
  declineReason: state.phase.name === 'ended' ? state.phase.declineReason : null,
  requestedBy: state.requestedBy,
  subject: state.subject,
  participants: [...state.participants],
  createdAt: state.createdAt,
  lastSequence: state.sequence,
});

/** As masked calls see it: a visit that is being followed up is active, until the follow-up is over. */
export const viewForPhones = (state: ConsultationState): ConsultationView => ({
  ...viewConsultation(state),
  ...(standingOf(state) === 'following_up' && { phase: 'active' as const }),
});

/** A call as its participants see it; `ended` is given for one that is over. */
export function viewCall(
  state: Pick<ConsultationState, 'id' | 'callRevision'>,
  call: CallRecord,
  ended?: CallEndReason,
): CallView {
  const { callId, media, startedBy, startedAt, phase, seats } = call;
  return {
    callId,
    consultationId: state.id,
    media,
    state: ended === undefined ? phase.name : 'ended',
    startedBy,
    startedAt,
    ringUntil: ended === undefined && phase.name === 'ringing' ? phase.until : null,
    answeredAt: phase.name === 'ringing' ? null : phase.answeredAt,
    endReason: ended ?? null,
    seats: seats.map(viewSeat),
    recording: viewRecording(call),
    revision: state.callRevision,
  };
}

/** A seat that is left still names its device: the person's other devices tell by it who answered or declined. */
const viewSeat = (seat: Seat): SeatView => ({
  personId: seat.personId,
  state: seat.state,
  deviceId: 'deviceId' in seat ? seat.deviceId : null,
  microphoneOn: seat.microphoneOn,
  cameraOn: seat.cameraOn,
  screenOn: seat.screenOn,
  mutedBy: seat.mutedBy,
  view: seat.view,
  interrupted: seat.interrupted,
  ringUntil: seat.state === 'invited' ? seat.ringUntil : null,
  callWaiting: seat.state === 'invited' && seat.callWaiting,
  // Beside a device in the call a telephone that is rung is nobody's concern yet.
  phone: seat.phone !== null && (seat.phone.state === 'talking' || seat.state === 'invited'),
  leftReason: seat.state === 'left' ? seat.reason : null,
  returnUntil: wayBackOf(seat)?.until ?? null,
  since: seat.since,
});

function viewRecording(call: CallRecord): CallRecording | null {
  if (call.recording === null) return null;
  const { recordingId, startedBy, phase, consents } = call.recording;
  return {
    recordingId,
    startedBy,
    phase: phase.name,
    since: phase.since,
    answerUntil: phase.name === 'asking' ? phase.answerUntil : null,
    consents: consents.map(({ personId, state, since }) => ({ personId, state, since })),
    recorded: [...recordedPeople(call)],
  };
}

/** What comes after the visit, by date. */
export const viewBoard = (state: ConsultationState): FollowUpBoard => ({
  followUps: state.followUps.map(viewFollowUp).toSorted((a, b) => a.dueAt - b.dueAt),
  contactRefusedSince: state.contactRefusedSince,
});

const viewFollowUp = (followUp: FollowUpRecord): FollowUp => {
  const { followUpId, plannedBy, plannedAt, dueAt, reason, state, since } = followUp;
  const [outcome, noteId] =
    followUp.state === 'done' ? [followUp.outcome, followUp.noteId] : ([null, null] as const);
  return { followUpId, plannedBy, plannedAt, dueAt, reason, state, since, outcome, noteId };
};
