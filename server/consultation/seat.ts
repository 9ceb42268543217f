import { replaceSeat, runningCall, seatOf } from './call.ts';
import type { ParticipantCommand, SystemEvent } from './commands.ts';
import { type Next, next, type Outcome, refuse, withCall } from './outcome.ts';
import type { CallRecord, ConsultationState, Effect, Seat } from './state.ts';

type Command<T extends ParticipantCommand['type']> = Extract<ParticipantCommand, { type: T }>;
type DeviceEvent<T extends SystemEvent['type']> = Extract<SystemEvent, { type: T }>;

/** Fewest present seats that make a call live. */
const LIVE_SEATS = 2;

/** The device takes its person's seat. Another device of the person takes it over; the old one is released. */
export function joinSeat(state: ConsultationState, command: Command<'seat.join'>, now: number): Outcome {
  const { by, deviceId, callId } = command;
  const call = runningCall(state, callId);
  const seat = call && seatOf(call, by);
  if (!call || !seat) return refuse('NOT_FOUND', 'there is no such running call');
  if (seat.state === 'invited') return refuse('WRONG_STATE', 'the call was not answered');
  const effects: Effect[] = [];
  if ('deviceId' in seat && seat.deviceId !== deviceId)
    effects.push({ type: 'seatReleased', callId, personId: by, deviceId: seat.deviceId, why: 'moved' });
  const { personId, microphoneOn, cameraOn } = seat;
  const taken: Seat = { personId, state: 'present', deviceId, since: now, microphoneOn, cameraOn };
  return next(withCall(state, settled(replaceSeat(call, taken))), [], effects);
}

export function setSource(state: ConsultationState, command: Command<'seat.setSource'>): Outcome {
  const { by, deviceId, callId, source, on } = command;
  const call = runningCall(state, callId);
  const seat = call && seatOf(call, by);
  if (!call || !seat) return refuse('NOT_FOUND', 'there is no such running call');
  if (!('deviceId' in seat) || seat.deviceId !== deviceId)
    return refuse('WRONG_STATE', 'this device is not in the call');
  if (source === 'camera' && on && call.media === 'voice')
    return refuse('WRONG_STATE', 'a voice call has no cameras; switch it to video first');
  const changed: Seat = source === 'microphone' ? { ...seat, microphoneOn: on } : { ...seat, cameraOn: on };
  return next(withCall(state, replaceSeat(call, changed)));
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
  const { joined, ...rest } = seat;
  const back: Seat = { ...rest, state: joined ? 'present' : 'connecting', since: now };
  return next(withCall(state, settled(replaceSeat(call, back))));
}

/** Every device of the call is away, and each has the whole grace to come back. */
export function restarted(state: ConsultationState, now: number): Next {
  const { call } = state;
  if (call === null) return next(state);
  return next(withCall(state, { ...call, seats: call.seats.map((seat) => waiting(seat, now)) }));
}

/** A held seat whose device is away; any other seat as it is. */
function waiting(seat: Seat, now: number): Seat {
  if (!('deviceId' in seat)) return seat;
  const joined = seat.state === 'reconnecting' ? seat.joined : seat.state === 'present';
  return { ...seat, state: 'reconnecting', since: now, joined };
}

/** An answered call with enough present seats is live. */
function settled(call: CallRecord): CallRecord {
  if (call.phase.name !== 'connecting') return call;
  const present = call.seats.filter(({ state }) => state === 'present').length;
  if (present < LIVE_SEATS) return call;
  return { ...call, phase: { name: 'live', answeredAt: call.phase.answeredAt } };
}
