import type { CallEndReason, CallView, ConsultationView, SeatView } from '@teleconsult/protocol';
import { wayBackOf } from './seats.ts';
import type { CallRecord, ConsultationState, Seat } from './state.ts';

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
  leftReason: seat.state === 'left' ? seat.reason : null,
  returnUntil: wayBackOf(seat)?.until ?? null,
  since: seat.since,
});
