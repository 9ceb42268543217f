import type { SeatLeftReason } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import { endCall, hasLapsed, type Leaving, leaveSeats } from './call-ending.ts';
import { followUpsDueAt, tickFollowUps } from './follow-ups.ts';
import { endConsultation } from './lifecycle.ts';
import { andThen, type Next, next, withCall } from './outcome.ts';
import { phoneRingsUntil, withoutLapsedRing } from './phone-seats.ts';
import { answerUntil, tickRecording } from './recording.ts';
import { isInvited, wayBackOf } from './seats.ts';
import type { CallRecord, ConsultationState, Seat, Timings } from './state.ts';

interface Context {
  readonly now: number;
  readonly timings: Timings;
}

/** The earliest moment at which `tick` would change something; null when time changes nothing. */
export function dueAt(state: ConsultationState, timings: Timings): number | null {
  const { phase, call } = state;
  const moments: (number | null)[] = [followUpsDueAt(state, timings)];
  if (phase.name === 'requested' || phase.name === 'waiting') moments.push(phase.since + timings.waitingMs);
  if (call !== null) {
    moments.push(failsAt(call, call.seats), answerUntil(call));
    for (const seat of call.seats)
      moments.push(
        seatDue(call, seat, timings)?.at ?? null,
        wayBackOf(seat)?.until ?? null,
        phoneRingsUntil(seat),
      );
  }
  const due = moments.filter((moment) => moment !== null);
  return due.length === 0 ? null : Math.min(...due);
}

/** Lets pass what is due at `now`. Calling it early or twice changes nothing. */
export function tick(state: ConsultationState, context: Context): Next {
  const { now, timings } = context;
  const { phase } = state;
  if ((phase.name === 'requested' || phase.name === 'waiting') && now >= phase.since + timings.waitingMs)
    return endConsultation(state, { reason: 'expired', by: null }, now);
  const answered = tickRecording(state, now);
  const rung = andThen(answered, (after) => tickPhones(after, now));
  const seated = andThen(rung, (after) => tickCall(after, context));
  return andThen(seated, (after) => tickFollowUps(after, context));
}

function tickPhones(state: ConsultationState, now: number): Next {
  const { call } = state;
  if (call === null) return next(state);
  const seats = call.seats.map((seat) => withoutLapsedRing(seat, now));
  const isSame = seats.every((seat, index) => seat === call.seats[index]);
  return next(isSame ? state : withCall(state, { ...call, seats }));
}

function tickCall(state: ConsultationState, { now, timings }: Context): Next {
  const { call } = state;
  if (call === null) return next(state);
  const leaving = call.seats.flatMap((seat): Leaving[] => {
    const due = seatDue(call, seat, timings);
    if (due === null || now < due.at) return [];
    const { personId } = seat;
    // Who is lost from a conversation may come back into it; one that did not begin is given up soon anyway.
    const mayReturn = due.reason === 'lost' && call.phase.name === 'live';
    const returnUntil = mayReturn ? now + timings.returnMs : null;
    return [{ personId, reason: due.reason, returnUntil }];
  });
  const stay = call.seats.filter((seat) => !leaving.some(({ personId }) => personId === seat.personId));
  const fails = failsAt(call, stay);
  if (fails !== null && now >= fails) return endCall(state, call, { reason: 'failed', by: null, now });
  const isOver = call.seats.some((seat) => hasLapsed(seat, now));
  return leaving.length === 0 && !isOver ? next(state) : leaveSeats(state, call, { leaving, by: null, now });
}

/** When an answered call that does not come about is given up; not while somebody is still rung. */
const failsAt = (call: CallRecord, seats: readonly Seat[]): number | null =>
  call.phase.name === 'connecting' && !seats.some(isInvited) ? call.phase.until : null;

/** When and why time takes a seat. */
function seatDue(
  call: CallRecord,
  seat: Seat,
  timings: Timings,
): { readonly at: number; readonly reason: SeatLeftReason } | null {
  switch (seat.state) {
    case 'invited':
      return { at: seat.ringUntil, reason: 'no_answer' };
    case 'reconnecting': {
      const isCaller = call.phase.name === 'ringing' && seat.personId === call.startedBy;
      return { at: seat.since + (isCaller ? timings.callerGraceMs : timings.seatGraceMs), reason: 'lost' };
    }
    case 'connecting':
      // A call that is not live yet fails as a whole.
      return call.phase.name === 'live' ? { at: seat.since + timings.connectMs, reason: 'lost' } : null;
    case 'present':
    case 'left':
      return null;
    default:
      return unreachable(seat);
  }
}
