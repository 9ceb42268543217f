/** What participants do with a call. How it ends is in call-ending.ts. */
import type { PersonId } from '@teleconsult/protocol';
import { endCall, leaveSeats, withRing } from './call-ending.ts';
import type { ParticipantCommand } from './commands.ts';
import { type Attributed, type Next, next, type Outcome, refuse, withCall } from './outcome.ts';
import {
  answered,
  freshSeat,
  isHeld,
  isHeldBy,
  isInvited,
  isLostFrom,
  isOnPhone,
  leftSeat,
  replaceSeat,
  runningCall,
  seatOf,
} from './seats.ts';
import type { ConsultationState, Effect, Seat, Timings } from './state.ts';

type Command<T extends ParticipantCommand['type']> = Extract<ParticipantCommand, { type: T }>;

interface Context {
  readonly now: number;
  readonly timings: Timings;
}

const noCall = () => refuse('NOT_FOUND', 'there is no such running call');
const notInCall = () => refuse('WRONG_STATE', 'this device is not in the call');

/** Starts a call, or, when this person is rung already (glare), answers that one. */
export function startCall(
  state: ConsultationState,
  command: Command<'call.start'>,
  context: Context,
): Outcome {
  const { by, deviceId, callId, media } = command;
  const { now } = context;
  const running = state.call;
  if (running !== null) {
    const seat = seatOf(running, by);
    if (seat !== undefined && isInvited(seat))
      return acceptCall(state, { type: 'call.accept', by, deviceId, callId: running.callId }, context);
    // The same device asking again (its acknowledgement was lost) gets the call it started.
    if (seat !== undefined && isHeldBy(seat, deviceId)) return next(state);
    return refuse('WRONG_STATE', 'a call is running');
  }
  const called = new Set(command.people ?? state.participants.map(({ personId }) => personId));
  called.delete(by);
  if (called.size === 0) return refuse('WRONG_STATE', 'there is nobody to call');
  const takesPart = (person: PersonId) => state.participants.some(({ personId }) => personId === person);
  if (![...called].every(takesPart)) return refuse('NOT_FOUND', 'the person does not take part');
  const takers = state.participants.filter(({ personId }) => personId === by || called.has(personId));
  const seats = takers.map(
    ({ personId }): Seat =>
      personId === by
        ? { ...freshSeat(by, media, now), state: 'connecting', deviceId }
        : calledSeat(personId, command, context),
  );
  const call = withRing({
    callId,
    media,
    startedBy: by,
    startedAt: now,
    phase: { name: 'ringing', until: now + context.timings.ringMs },
    seats,
    recording: null,
    stoppedRecordingId: null,
  });
  const started: Attributed = { fact: { kind: 'call.started', callId, media }, by };
  if (!seats.some(isInvited)) {
    // Nobody rings, but those who were called shall see that they were.
    const after = next(state, [started]).state;
    const ended = endCall(after, call, { reason: 'busy', by: null, now });
    return { ...ended, facts: [started, ...ended.facts] };
  }
  const busy = seats.filter(({ state: seat }) => seat === 'left');
  return next(withCall(state, call), [
    started,
    ...busy.map(
      ({ personId }): Attributed => ({
        fact: { kind: 'call.left', callId, personId, reason: 'busy' },
        by: null,
      }),
    ),
  ]);
}

/** The seat of a person who is called: it rings, as a second call if it must, or is busy. */
function calledSeat(
  person: PersonId,
  { media, engaged }: Command<'call.start'>,
  { now, timings }: Context,
): Seat {
  const fresh = freshSeat(person, media, now);
  const ring: Seat = {
    ...fresh,
    state: 'invited',
    ringUntil: now + timings.ringMs,
    callWaiting: engaged?.get(person) === 'knock',
  };
  const isBusy = engaged?.get(person) === 'busy';
  return isBusy ? leftSeat(ring, { reason: 'busy', deviceId: null, now, returnUntil: null }) : ring;
}

export function acceptCall(
  state: ConsultationState,
  command: Command<'call.accept'>,
  context: Context,
): Outcome {
  const { by, deviceId, callId } = command;
  const call = runningCall(state, callId);
  const seat = call && seatOf(call, by);
  if (!call || !seat) return noCall();
  if (!isInvited(seat)) {
    if (isHeldBy(seat, deviceId)) return next(state);
    return refuse('WRONG_STATE', isHeld(seat) ? 'answered on another device' : 'the seat was left');
  }
  const { now } = context;
  const { ringUntil: _ring, callWaiting: _waiting, ...wishes } = seat;
  const taken = replaceSeat(call, { ...wishes, state: 'connecting', deviceId, since: now, phone: null });
  return next(withCall(state, answered(taken, context)), [{ fact: { kind: 'call.answered', callId }, by }]);
}

export function declineCall(
  state: ConsultationState,
  { by, deviceId, callId }: Omit<Command<'call.decline'>, 'type'>,
  now: number,
): Outcome {
  const call = runningCall(state, callId);
  const seat = call && seatOf(call, by);
  if (!call || !seat) return noCall();
  if (seat.state === 'left' && seat.reason === 'declined') return next(state);
  // Declining on one device must never end a call that was answered on another.
  if (!isInvited(seat)) return refuse('WRONG_STATE', 'the call was answered');
  return leaveSeats(state, call, { leaving: [{ personId: by, reason: 'declined', deviceId }], by, now });
}

/** Ends the call for all. With more than two in it that is the caller's and the doctor's to do. */
export function hangUp(state: ConsultationState, command: Command<'call.hangUp'>, now: number): Outcome {
  const { by, deviceId, callId } = command;
  const call = runningCall(state, callId);
  const seat = call && seatOf(call, by);
  if (!call || !seat) return noCall();
  if (isInvited(seat)) return declineCall(state, command, now);
  // Who was lost and does not come back keeps nobody waiting, and ends the call for none of those in it.
  if (isLostFrom(seat, deviceId)) return leaveCall(state, { ...command, type: 'call.leave' }, now);
  if (!isHeldBy(seat, deviceId) && !isOnPhone(seat)) return notInCall();
  const inIt = call.seats.filter(({ state: other }) => other !== 'left').length;
  const isDoctor = state.participants.some(({ personId, role }) => personId === by && role === 'doctor');
  if (inIt > 2 && by !== call.startedBy && !isDoctor)
    return refuse('FORBIDDEN', 'the caller and the doctor end the call; others leave it');
  return endCall(state, call, { reason: call.phase.name === 'ringing' ? 'cancelled' : 'completed', by, now });
}

/** Leaves without ending the call for the others, as long as there are others. */
export function leaveCall(state: ConsultationState, command: Command<'call.leave'>, now: number): Outcome {
  const { by, deviceId, callId } = command;
  const call = runningCall(state, callId);
  const seat = call && seatOf(call, by);
  if (!call || !seat) return noCall();
  if (isInvited(seat)) return declineCall(state, command, now);
  if (seat.state === 'left' && seat.deviceId === deviceId && seat.wayBack === null) return next(state);
  if (!isHeldBy(seat, deviceId) && !isLostFrom(seat, deviceId) && !isOnPhone(seat)) return notInCall();
  return leaveSeats(state, call, { leaving: [{ personId: by, reason: 'hung_up' }], by, now });
}

/** Rings one more person, or again one who left. Whoever is in the call or rung already stays as they are. */
export function inviteToCall(
  state: ConsultationState,
  command: Command<'call.invite'>,
  { now, timings }: Context,
): Outcome {
  const { by, deviceId, callId, personId, engaged } = command;
  const call = runningCall(state, callId);
  const own = call && seatOf(call, by);
  if (!call || !own) return noCall();
  if (!isHeldBy(own, deviceId)) return notInCall();
  if (!state.participants.some((participant) => participant.personId === personId))
    return refuse('NOT_FOUND', 'the person does not take part');
  const former = seatOf(call, personId);
  if (former !== undefined && former.state !== 'left') return next(state);
  if (engaged === 'busy') return refuse('BUSY');
  const invited: Seat = {
    ...freshSeat(personId, call.media, now),
    state: 'invited',
    ringUntil: now + timings.ringMs,
    callWaiting: engaged === 'knock',
  };
  const seats = [...call.seats.filter((seat) => seat.personId !== personId), invited];
  return next(withCall(state, withRing({ ...call, seats })), [
    { fact: { kind: 'call.invited', callId, personId }, by },
  ]);
}

export function setCallMedia(state: ConsultationState, command: Command<'call.setMedia'>): Outcome {
  const { by, deviceId, callId, media } = command;
  const call = runningCall(state, callId);
  const seat = call && seatOf(call, by);
  if (!call || !seat) return noCall();
  if (!isHeldBy(seat, deviceId)) return notInCall();
  if (call.media === media) return next(state);
  // Voice has no pictures; becoming video leaves cameras off until each person switches theirs on.
  const seats = call.seats.map((other) => ({ ...other, cameraOn: false, screenOn: false }));
  const screens = call.seats
    .filter(({ screenOn }) => screenOn)
    .map(({ personId }): Effect => ({ type: 'sourcesChanged', callId, personId }));
  return next(
    withCall(state, { ...call, media, seats }),
    [{ fact: { kind: 'call.mediaChanged', callId, media }, by }],
    [{ type: 'camerasOff', callId }, ...screens],
  );
}

/** A person who is taken out of the consultation leaves its call first. */
export function removeFromCall(
  state: ConsultationState,
  { personId, by, now }: { personId: PersonId; by: PersonId | null; now: number },
): Next {
  const { call } = state;
  const seat = call && seatOf(call, personId);
  if (!call || !seat) return next(state);
  // Nobody waits for a person who may not come back.
  if (seat.state === 'left' && seat.wayBack === null) return next(state);
  return leaveSeats(state, call, { leaving: [{ personId, reason: 'removed' }], by, now });
}
