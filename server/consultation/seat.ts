/** What a person's device does in its seat, and what happens to devices. */
import { unreachable } from '@teleconsult/protocol/unreachable';
import { type Leaving, leaveSeats } from './call-ending.ts';
import type { ParticipantCommand, SystemEvent } from './commands.ts';
import { type Next, next, type Outcome, refuse, withCall } from './outcome.ts';
import {
  isHeld,
  isHeldBy,
  isOnPhone,
  replaceSeat,
  runningCall,
  seatOf,
  settled,
  ticketsOf,
  withoutRing,
} from './seats.ts';
import type { ConsultationState, Seat } from './state.ts';

type Command<T extends ParticipantCommand['type']> = Extract<ParticipantCommand, { type: T }>;
type DeviceEvent<T extends SystemEvent['type']> = Extract<SystemEvent, { type: T }>;

const noCall = () => refuse('NOT_FOUND', 'there is no such running call');
const notInCall = () => refuse('WRONG_STATE', 'this device is not in the call');

/** Each person switches their own sources, also a microphone that the doctor has muted. */
export function setSource(state: ConsultationState, command: Command<'seat.setSource'>): Outcome {
  const { by, deviceId, callId, source, on } = command;
  const call = runningCall(state, callId);
  const seat = call && seatOf(call, by);
  if (!call || !seat) return noCall();
  const isOfPhone = isOnPhone(seat) && source === 'microphone';
  if (!isHeldBy(seat, deviceId) && !isOfPhone) return notInCall();
  switch (source) {
    case 'microphone':
      if (seat.microphoneOn === on) return next(state);
      return next(withCall(state, replaceSeat(call, { ...seat, microphoneOn: on, mutedBy: null })));
    case 'camera':
      if (on && call.media === 'voice')
        return refuse('WRONG_STATE', 'a voice call has no cameras; switch it to video first');
      if (seat.cameraOn === on) return next(state);
      return next(withCall(state, replaceSeat(call, { ...seat, cameraOn: on })));
    case 'screen':
      if (on && call.media === 'voice')
        return refuse('WRONG_STATE', 'a voice call has no screens; switch it to video first');
      if (on && call.seats.some(({ personId, screenOn }) => screenOn && personId !== by))
        return refuse('WRONG_STATE', 'another screen is being shared');
      if (seat.screenOn === on) return next(state);
      return next(withCall(state, replaceSeat(call, { ...seat, screenOn: on })));
    default:
      return unreachable(source);
  }
}

export function setView(state: ConsultationState, command: Command<'seat.setView'>): Outcome {
  const { by, deviceId, callId, view } = command;
  const call = runningCall(state, callId);
  const seat = call && seatOf(call, by);
  if (!call || !seat) return noCall();
  if (!isHeldBy(seat, deviceId)) return notInCall();
  if (seat.view === view) return next(state);
  return next(withCall(state, replaceSeat(call, { ...seat, view })));
}

/** Switches another's microphone off. Nobody but that person switches it on again. */
export function muteSeat(state: ConsultationState, command: Command<'seat.mute'>): Outcome {
  const { by, deviceId, callId, personId } = command;
  const call = runningCall(state, callId);
  const own = call && seatOf(call, by);
  if (!call || !own) return noCall();
  if (!isHeldBy(own, deviceId)) return notInCall();
  if (personId === by) return refuse('WRONG_STATE', 'one’s own microphone is switched off by seat.setSource');
  const seat = seatOf(call, personId);
  if (seat === undefined || !isHeld(seat)) return refuse('NOT_FOUND', 'the person is not in the call');
  if (!seat.microphoneOn) return next(state);
  return next(
    withCall(state, replaceSeat(call, { ...seat, microphoneOn: false, mutedBy: by })),
    [],
    [{ type: 'sourcesChanged', callId, personId }],
  );
}

/** The system took the microphone of a present device, or gave it back. What the person wants stays as it was. */
export function setInterrupted(state: ConsultationState, command: Command<'seat.setInterrupted'>): Outcome {
  const { by, deviceId, callId, interrupted } = command;
  const call = runningCall(state, callId);
  const seat = call && seatOf(call, by);
  if (!call || !seat) return noCall();
  if (!isHeldBy(seat, deviceId)) return notInCall();
  if (seat.interrupted === interrupted) return next(state);
  return next(
    withCall(state, replaceSeat(call, { ...seat, interrupted })),
    [],
    [{ type: 'sourcesChanged', callId, personId: by }],
  );
}

/** A lost socket or media path is an event, never an ending: the seat waits for its device. */
export function deviceLost(state: ConsultationState, event: DeviceEvent<'device.lost'>, now: number): Next {
  const call = state.call;
  const seat = call && seatOf(call, event.personId);
  if (!call || !seat || (seat.state !== 'present' && seat.state !== 'connecting')) return next(state);
  if (seat.deviceId !== event.deviceId) return next(state);
  return next(withCall(state, replaceSeat(call, waiting(seat, now))));
}

export function deviceReturned(
  state: ConsultationState,
  event: DeviceEvent<'device.returned'>,
  now: number,
): Next {
  const call = state.call;
  const seat = call && seatOf(call, event.personId);
  if (!call || seat?.state !== 'reconnecting' || seat.deviceId !== event.deviceId) return next(state);
  const { joined, tickets, ...rest } = seat;
  const back: Seat = joined
    ? { ...rest, state: 'present', since: now, tickets }
    : { ...rest, state: 'connecting', since: now };
  return next(withCall(state, settled(replaceSeat(call, back))));
}

/**
 * Every device of the call is away, and each has the whole grace to come back. Telephones are gone: they talked and rang
 * by the process that ended.
 */
export function restarted(state: ConsultationState, now: number): Next {
  const { call } = state;
  if (call === null) return next(state);
  const seats = call.seats.map((seat): Seat => (livesByPhone(seat) ? seat : withoutRing(waiting(seat, now))));
  const away = { ...call, seats };
  const leaving = seats.filter(livesByPhone).map(({ personId }): Leaving => ({ personId, reason: 'lost' }));
  if (leaving.length === 0) return next(withCall(state, away));
  return leaveSeats(state, away, { leaving, by: null, now });
}

/** Also one that was rung for the telephone's sake: nobody answers it any more. */
const livesByPhone = ({ phone }: Seat): boolean =>
  phone !== null && (phone.state === 'talking' || phone.alone);

/** A held seat whose device is away; any other seat as it is. */
function waiting(seat: Seat, now: number): Seat {
  if (!isHeld(seat) || seat.deviceId === null) return seat;
  const joined = seat.state === 'reconnecting' ? seat.joined : seat.state === 'present';
  return { ...seat, state: 'reconnecting', since: now, joined, tickets: ticketsOf(seat) };
}
