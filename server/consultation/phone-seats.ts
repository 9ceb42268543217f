/**
 * Telephones in a call: one is rung beside the devices of its person, and whichever answers first has the seat. A seat
 * that a telephone holds has no device, no camera and no ticket.
 */
import type { PersonId } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import { leaveSeats, withRing } from './call-ending.ts';
import type { ParticipantCommand, PhoneSeatEvent, SystemEvent } from './commands.ts';
import { type Attributed, type Next, next, type Outcome, refuse, withCall } from './outcome.ts';
import type { PhoneLeg } from './phone-state.ts';
import { answerRecording } from './recording.ts';
import { judge, standingOf } from './rights.ts';
import {
  answered,
  freshSeat,
  isHeld,
  isHeldBy,
  isInvited,
  isThere,
  replaceSeat,
  runningCall,
  seatOf,
  settled,
  withoutRing,
} from './seats.ts';
import type { CallRecord, ConsultationState, Effect, Seat, Timings } from './state.ts';

type JoinCommand = Extract<ParticipantCommand, { type: 'phone.join' }>;
type DialIn = Extract<SystemEvent, { type: 'phone.dialIn' }>;

interface Context {
  readonly now: number;
  readonly timings: Timings;
}

interface Found {
  readonly call: CallRecord;
  readonly seat: Seat;
  readonly leg: PhoneLeg;
}

const noCall = () => refuse('NOT_FOUND', 'there is no such running call');

/** Rings a telephone of somebody who is not in the call, or one's own to leave the device for it. */
export function ringPhone(
  state: ConsultationState,
  { by, deviceId, callId, personId, phoneCallId, engaged }: JoinCommand,
  { now, timings }: Context,
): Outcome {
  const call = runningCall(state, callId);
  const own = call && seatOf(call, by);
  if (!call || !own) return noCall();
  if (!isHeldBy(own, deviceId)) return refuse('WRONG_STATE', 'this device is not in the call');
  if (!state.participants.some((participant) => participant.personId === personId))
    return refuse('NOT_FOUND', 'the person does not take part');
  if (state.phone.refusedBy.includes(personId))
    return refuse('FORBIDDEN', 'the person does not want to be phoned');
  const former = seatOf(call, personId);
  // It rings or talks already.
  if (former !== undefined && former.phone !== null) return next(state);
  const until = now + timings.ringMs;
  const leg = { state: 'ringing', phoneCallId, until } as const;
  if (former !== undefined && isHeld(former)) {
    if (personId !== by) return refuse('WRONG_STATE', 'the person is in the call');
    return next(withCall(state, replaceSeat(call, { ...former, phone: { ...leg, alone: false } })));
  }
  if (former !== undefined && isInvited(former)) {
    const rung: Seat = { ...former, ringUntil: until, phone: { ...leg, alone: false } };
    return next(withCall(state, withRing(replaceSeat(call, rung))));
  }
  if (engaged === 'busy') return refuse('BUSY');
  const invited: Seat = {
    ...freshSeat(personId, 'voice', now),
    state: 'invited',
    ringUntil: until,
    callWaiting: engaged === 'knock',
    phone: { ...leg, alone: true },
  };
  const seats = [...call.seats.filter((seat) => seat.personId !== personId), invited];
  return next(withCall(state, withRing({ ...call, seats })), [
    { fact: { kind: 'call.invited', callId, personId }, by },
  ]);
}

/**
 * The telephone of somebody who has dialled in is in their hand: it has a ring of its own, which is answered at once. Who may
 * be rung by telephone may dial in, while somebody is there to talk with. A telephone that was rung meanwhile makes room for
 * it; a device that is there does not: that they call is known by their number alone, and numbers can be forged.
 */
export function dialIn(
  state: ConsultationState,
  { callId, personId, phoneCallId }: DialIn,
  { now, timings }: Context,
): Outcome {
  const call = runningCall(state, callId);
  const person = state.participants.find((participant) => participant.personId === personId);
  if (!call || !person) return noCall();
  const verdict = judge('phone.join', { role: person.role, kind: state.kind }, standingOf(state));
  if (verdict !== 'allowed') return refuse('WRONG_STATE', 'nobody takes part by telephone now');
  if (state.phone.refusedBy.includes(personId))
    return refuse('FORBIDDEN', 'the person does not want to be phoned');
  if (!call.seats.some((seat) => seat.personId !== personId && isHeld(seat)))
    return refuse('WRONG_STATE', 'there is nobody to talk with');
  const former = seatOf(call, personId);
  const rings = former?.phone ?? null;
  if (rings?.phoneCallId === phoneCallId) return next(state);
  if (rings?.state === 'talking') return refuse('BUSY');
  if (former !== undefined && isThere(former))
    return refuse('WRONG_STATE', 'a device of the person is in the call');
  const until = now + timings.ringMs;
  const leg: PhoneLeg = {
    state: 'ringing',
    phoneCallId,
    until,
    alone: former === undefined || former.state === 'left' || rings?.alone === true,
  };
  if (former !== undefined && isHeld(former))
    return next(withCall(state, replaceSeat(call, { ...former, phone: leg })));
  const rung: Seat =
    former !== undefined && isInvited(former)
      ? { ...former, ringUntil: until, phone: leg }
      : {
          ...freshSeat(personId, 'voice', now),
          state: 'invited',
          ringUntil: until,
          callWaiting: false,
          phone: leg,
        };
  const seats = [...call.seats.filter((seat) => seat.personId !== personId), rung];
  return next(withCall(state, withRing({ ...call, seats })));
}

/** What became of a telephone. One that the call does not know any more is to be hung up: it is told so. */
export function phoneSeatEvent(state: ConsultationState, event: PhoneSeatEvent, context: Context): Outcome {
  const found = find(state, event);
  switch (event.type) {
    case 'phone.seatAnswered':
      return found === null ? gone() : phoneAnswers(state, found, context);
    case 'phone.seatLeft':
      return found === null ? next(state) : phoneLeaves(state, found, { ...context, reason: event.reason });
    case 'phone.microphone': {
      if (found?.leg.state !== 'talking') return gone();
      const { call, seat } = found;
      if (seat.microphoneOn === event.on) return next(state);
      return next(withCall(state, replaceSeat(call, { ...seat, microphoneOn: event.on, mutedBy: null })));
    }
    case 'phone.consent': {
      if (found?.leg.state !== 'talking') return gone();
      const { personId: by, callId, recordingId, granted } = event;
      return answerRecording(state, { by, callId, recordingId, granted }, context.now);
    }
    default:
      return unreachable(event);
  }
}

/** Nobody keeps a camera or a screen on a telephone, and only a microphone that somebody else switched off stays off. */
function phoneAnswers(
  state: ConsultationState,
  { call, seat, leg }: Found,
  { now, timings }: Context,
): Outcome {
  if (leg.state === 'talking') return next(state);
  const { callId } = call;
  const { personId, mutedBy } = seat;
  const effects: Effect[] =
    isHeld(seat) && seat.deviceId !== null
      ? [{ type: 'seatReleased', callId, personId, deviceId: seat.deviceId, why: 'moved' }]
      : [];
  const facts: Attributed[] = isInvited(seat)
    ? [{ fact: { kind: 'call.answered', callId }, by: personId }]
    : [];
  const held: Seat = {
    ...freshSeat(personId, 'voice', now),
    state: 'present',
    deviceId: null,
    tickets: null,
    microphoneOn: mutedBy === null,
    mutedBy,
    phone: { state: 'talking', phoneCallId: leg.phoneCallId },
  };
  const taken = replaceSeat(call, held);
  const phased = isInvited(seat) ? answered(taken, { now, timings }) : taken;
  return next(withCall(state, settled(phased)), facts, effects);
}

/** A telephone that is busy or not answered ends only its own ringing: the devices of its person ring on. */
function phoneLeaves(
  state: ConsultationState,
  { call, seat, leg }: Found,
  { now, reason }: Context & { reason: Extract<PhoneSeatEvent, { type: 'phone.seatLeft' }>['reason'] },
): Outcome {
  const { personId } = seat;
  const leavesSeat = leg.state === 'talking' || (isInvited(seat) && (leg.alone || reason === 'declined'));
  if (!leavesSeat) return next(withCall(state, replaceSeat(call, withoutRing(seat))));
  const isOwnDoing = reason === 'hung_up' || reason === 'declined';
  return leaveSeats(state, call, {
    leaving: [{ personId, reason }],
    by: isOwnDoing ? personId : null,
    now,
  });
}

/** No is obeyed at once: the telephone of a person who does not want to be phoned is hung up. */
export function withoutPhone(state: ConsultationState, personId: PersonId, now: number): Next {
  const { call } = state;
  const seat = call && seatOf(call, personId);
  if (!call || !seat || seat.phone === null) return next(state);
  const isRungBeside = seat.phone.state === 'ringing' && !seat.phone.alone;
  if (isRungBeside) return next(withCall(state, replaceSeat(call, withoutRing(seat))));
  const reason = seat.phone.state === 'talking' ? 'hung_up' : 'declined';
  return leaveSeats(state, call, { leaving: [{ personId, reason }], by: personId, now });
}

/** When a telephone that is rung beside a device in the call stops ringing; null: none is. */
export const phoneRingsUntil = (seat: Seat): number | null =>
  isHeld(seat) && seat.phone?.state === 'ringing' ? seat.phone.until : null;

/** The seat without a telephone that was rung for long enough beside its device. */
export function withoutLapsedRing(seat: Seat, now: number): Seat {
  const until = phoneRingsUntil(seat);
  return until === null || now < until ? seat : withoutRing(seat);
}

function find(
  state: ConsultationState,
  { callId, personId, phoneCallId }: Pick<PhoneSeatEvent, 'callId' | 'personId' | 'phoneCallId'>,
): Found | null {
  const call = runningCall(state, callId);
  const seat = call && seatOf(call, personId);
  if (!call || !seat || seat.phone?.phoneCallId !== phoneCallId) return null;
  return { call, seat, leg: seat.phone };
}

const gone = () => refuse('NOT_FOUND', 'the telephone takes no part in the call');
