/** How a device takes its person's seat: for the first time, again with its ticket, or from another device. */
import type { ParticipantCommand } from './commands.ts';
import { type Attributed, next, type Outcome, refuse, withCall } from './outcome.ts';
import { isHeldBy, replaceSeat, runningCall, seatOf, settled, ticketsOf } from './seats.ts';
import type { ConsultationState, Effect, Seat } from './state.ts';
import { exchanged, firstTickets, type SeatTickets } from './tickets.ts';

type JoinCommand = Extract<ParticipantCommand, { type: 'seat.join' }>;
/** A seat that some device holds or was lost from. */
type TakenSeat = Exclude<Seat, { state: 'invited' }>;

/**
 * The device takes its person's seat. One that joined it before brings its ticket; another device of the person takes
 * the seat over, and the old one is released and its tickets are worth nothing any more.
 */
export function joinSeat(state: ConsultationState, command: JoinCommand, now: number): Outcome {
  const { by, deviceId, callId } = command;
  const call = runningCall(state, callId);
  const seat = call && seatOf(call, by);
  if (!call || !seat) return refuse('NOT_FOUND', 'there is no such running call');
  if (seat.state === 'invited') return refuse('WRONG_STATE', 'the call was not answered');
  // Who was lost may come back for a while; who left, declined or was taken out has to be invited.
  if (seat.state === 'left' && (seat.wayBack === null || now >= seat.wayBack.until))
    return refuse('WRONG_STATE', 'the seat was left');
  const tickets = ticketsAfter(seat, command);
  // Which of its causes it has is for nobody who guesses.
  if (tickets === null) return refuse('RESUME_REFUSED');
  const former = seat.deviceId;
  const effects: Effect[] =
    former !== null && former !== deviceId
      ? [{ type: 'seatReleased', callId, personId: by, deviceId: former, why: 'moved' }]
      : [];
  const back: Attributed[] = seat.state === 'left' ? [{ fact: { kind: 'call.answered', callId }, by }] : [];
  const taken = replaceSeat(call, takenSeat(seat, { deviceId, tickets, now }));
  return next(withCall(state, settled(taken)), back, effects);
}

/** The tickets that the seat has once this device holds it; null when it may not. */
function ticketsAfter(
  seat: TakenSeat,
  { deviceId, ticket, nextTicket, takeOver }: JoinCommand,
): SeatTickets | null {
  if (seat.deviceId === deviceId) {
    const tickets = ticketsOf(seat);
    // It answered and comes for the first time, or joined under a version of the server that gave no tickets.
    if (tickets === null) return firstTickets(nextTicket);
    const after = ticket === null ? null : exchanged(tickets, ticket, nextTicket);
    if (after !== null) return after;
  }
  return takeOver ? firstTickets(nextTicket) : null;
}

/** Microphone and camera are the person's wishes; what else there is belongs to the device that showed it. */
function takenSeat(
  seat: TakenSeat,
  { deviceId, tickets, now }: Pick<JoinCommand, 'deviceId'> & { tickets: SeatTickets; now: number },
): Seat {
  const { personId, microphoneOn, cameraOn, mutedBy } = seat;
  const { screenOn, view, interrupted } = isHeldBy(seat, deviceId)
    ? seat
    : ({ screenOn: false, view: 'full', interrupted: false } as const);
  // A telephone that is rung goes on ringing beside the device; one that talks makes room for it.
  const phone = seat.phone?.state === 'ringing' ? seat.phone : null;
  const wishes = { microphoneOn, cameraOn, screenOn, mutedBy, view, interrupted, phone };
  return { personId, state: 'present', deviceId, since: now, tickets, ...wishes };
}
