import type { CallEndReason, CallView, ConsultationView } from '@teleconsult/protocol';
import type { CallRecord, ConsultationState } from './state.ts';

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
    seats: seats.map(({ personId, state: seatState, since, microphoneOn, cameraOn, ...held }) => ({
      personId,
      state: seatState,
      deviceId: 'deviceId' in held ? held.deviceId : null,
      microphoneOn,
      cameraOn,
      since,
    })),
    revision: state.callRevision,
  };
}
