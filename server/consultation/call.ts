import type { CallEndReason, CallId, PersonId } from '@teleconsult/protocol';
import type { ParticipantCommand } from './commands.ts';
import { type Next, next, type Outcome, refuse, withCall } from './outcome.ts';
import type { CallRecord, ConsultationState, Seat, Timings } from './state.ts';

type Command<T extends ParticipantCommand['type']> = Extract<ParticipantCommand, { type: T }>;

interface Context {
  readonly now: number;
  readonly timings: Timings;
}

/** The running call of this id; a call that ended or never was looks the same. */
export const runningCall = (state: ConsultationState, callId: CallId): CallRecord | null =>
  state.call?.callId === callId ? state.call : null;

export const seatOf = (call: CallRecord, personId: PersonId): Seat | undefined =>
  call.seats.find((seat) => seat.personId === personId);

export const replaceSeat = (call: CallRecord, seat: Seat): CallRecord => ({
  ...call,
  seats: call.seats.map((other) => (other.personId === seat.personId ? seat : other)),
});

/** Starts a call, or, when the other side is ringing already (glare), answers that one. */
export function startCall(
  state: ConsultationState,
  command: Command<'call.start'>,
  context: Context,
): Outcome {
  const { by, deviceId, callId, media } = command;
  const { now, timings } = context;
  const running = state.call;
  if (running !== null) {
    const seat = seatOf(running, by);
    if (running.phase.name === 'ringing' && seat?.state === 'invited')
      return acceptCall(state, { type: 'call.accept', by, deviceId, callId: running.callId }, context);
    // The same device asking again (its acknowledgement was lost) gets the call it started.
    if (seat !== undefined && 'deviceId' in seat && seat.deviceId === deviceId) return next(state);
    return refuse('WRONG_STATE', 'a call is running');
  }
  const cameraOn = media === 'video';
  const call: CallRecord = {
    callId,
    media,
    startedBy: by,
    startedAt: now,
    phase: { name: 'ringing', until: now + timings.ringMs },
    seats: state.participants.map(({ personId }) =>
      personId === by
        ? { personId, state: 'connecting', deviceId, since: now, microphoneOn: true, cameraOn }
        : { personId, state: 'invited', since: now, microphoneOn: true, cameraOn },
    ),
  };
  return next(withCall(state, call), [{ fact: { kind: 'call.started', callId, media }, by }]);
}

export function acceptCall(
  state: ConsultationState,
  command: Command<'call.accept'>,
  context: Context,
): Outcome {
  const { by, deviceId, callId } = command;
  const { now, timings } = context;
  const call = runningCall(state, callId);
  const seat = call && seatOf(call, by);
  if (!call || !seat) return refuse('NOT_FOUND', 'there is no such running call');
  if (seat.state !== 'invited') {
    if ('deviceId' in seat && seat.deviceId === deviceId) return next(state);
    return refuse('WRONG_STATE', 'answered on another device');
  }
  const answered: CallRecord = {
    ...replaceSeat(call, { ...seat, state: 'connecting', deviceId, since: now }),
    phase:
      call.phase.name === 'ringing'
        ? { name: 'connecting', answeredAt: now, until: now + timings.connectMs }
        : call.phase,
  };
  return next(withCall(state, answered), [{ fact: { kind: 'call.answered', callId }, by }]);
}

export function declineCall(
  state: ConsultationState,
  command: Command<'call.decline'>,
  now: number,
): Outcome {
  const call = runningCall(state, command.callId);
  const seat = call && seatOf(call, command.by);
  if (!call || !seat) return refuse('NOT_FOUND', 'there is no such running call');
  // Declining on one device must never end a call that was answered on another.
  if (seat.state !== 'invited') return refuse('WRONG_STATE', 'the call was answered');
  return endCall(state, call, { reason: 'declined', by: command.by, now });
}

export function hangUp(state: ConsultationState, command: Command<'call.hangUp'>, now: number): Outcome {
  const call = runningCall(state, command.callId);
  const seat = call && seatOf(call, command.by);
  if (!call || !seat) return refuse('NOT_FOUND', 'there is no such running call');
  if (seat.state === 'invited') return endCall(state, call, { reason: 'declined', by: command.by, now });
  if (!('deviceId' in seat) || seat.deviceId !== command.deviceId)
    return refuse('WRONG_STATE', 'this device is not in the call');
  const reason: CallEndReason = call.phase.name === 'ringing' ? 'cancelled' : 'completed';
  return endCall(state, call, { reason, by: command.by, now });
}

export function setCallMedia(state: ConsultationState, command: Command<'call.setMedia'>): Outcome {
  const { by, deviceId, callId, media } = command;
  const call = runningCall(state, callId);
  const seat = call && seatOf(call, by);
  if (!call || !seat) return refuse('NOT_FOUND', 'there is no such running call');
  if (!('deviceId' in seat) || seat.deviceId !== deviceId)
    return refuse('WRONG_STATE', 'this device is not in the call');
  if (call.media === media) return next(state);
  // Voice has no cameras; becoming video leaves them off until each person switches theirs on.
  const seats = call.seats.map((other) => ({ ...other, cameraOn: false }));
  return next(
    withCall(state, { ...call, media, seats }),
    [{ fact: { kind: 'call.mediaChanged', callId, media }, by }],
    [{ type: 'camerasOff', callId }],
  );
}

export function endCall(
  state: ConsultationState,
  call: CallRecord,
  ending: { reason: CallEndReason; by: PersonId | null; now: number },
): Next {
  const { reason, by, now } = ending;
  const durationMs = call.phase.name === 'ringing' ? 0 : Math.max(0, now - call.phase.answeredAt);
  return next(
    withCall(state, null),
    [{ fact: { kind: 'call.ended', callId: call.callId, reason, durationMs }, by }],
    [{ type: 'callEnded', call, reason }],
  );
}
