/** How seats are left, and when a call ends with them. */
import type { CallEndReason, DeviceId, PersonId, SeatLeftReason } from '@teleconsult/protocol';
import { type Attributed, type Next, next, withCall } from './outcome.ts';
import { withoutRecording } from './recording.ts';
import { isHeld, isInvited, leftSeat, seatOf, wayBackOf } from './seats.ts';
import type { CallRecord, ConsultationState, Effect, Seat } from './state.ts';

export interface Leaving {
  readonly personId: PersonId;
  readonly reason: SeatLeftReason;
  /** The device that declines; a seat that some device holds or held keeps that one. */
  readonly deviceId?: DeviceId;
  /** Until when a person who is lost may come back; left out: never. */
  readonly returnUntil?: number | null;
}

/** Fewest people who can talk with each other. */
const FEWEST = 2;

/**
 * These seats are left at once, and ways back whose time has passed are closed. The call ends when that leaves nobody
 * to talk with, nobody who is still rung, and nobody who may still come back.
 */
export function leaveSeats(
  state: ConsultationState,
  call: CallRecord,
  { leaving, by, now }: { leaving: readonly Leaving[]; by: PersonId | null; now: number },
): Next {
  const { callId } = call;
  const effects: Effect[] = [];
  const seats = call.seats.map((seat): Seat => {
    const leaves = leaving.find(({ personId }) => personId === seat.personId);
    if (leaves === undefined) return hasLapsed(seat, now) ? { ...seat, wayBack: null } : seat;
    const { personId } = seat;
    const { reason, deviceId = null, returnUntil = null } = leaves;
    if (isHeld(seat) && seat.deviceId !== null)
      effects.push({ type: 'seatReleased', callId, personId, deviceId: seat.deviceId, why: 'left' });
    const device = isInvited(seat) ? deviceId : seat.deviceId;
    return leftSeat(seat, { reason, deviceId: device, now, returnUntil });
  });
  const after = withRing({ ...call, seats });
  const ending = endingOf(
    after,
    leaving.map(({ reason }) => reason),
  );
  if (ending !== null) return endCall(state, after, { reason: ending, by, now });
  const facts = leaving.map(
    ({ personId, reason }): Attributed => ({ fact: { kind: 'call.left', callId, personId, reason }, by }),
  );
  return next(withCall(state, after), facts, effects);
}

/** The call rings until the last of those who are rung has been rung for long enough. */
export function withRing(call: CallRecord): CallRecord {
  if (call.phase.name !== 'ringing') return call;
  const rings = call.seats.filter(isInvited).map(({ ringUntil }) => ringUntil);
  if (rings.length === 0) return call;
  return { ...call, phase: { name: 'ringing', until: Math.max(...rings) } };
}

export function endCall(
  state: ConsultationState,
  call: CallRecord,
  ending: { reason: CallEndReason; by: PersonId | null; now: number },
): Next {
  const { reason, by, now } = ending;
  const durationMs = call.phase.name === 'ringing' ? 0 : Math.max(0, now - call.phase.answeredAt);
  const over = withoutRecording(call, { by, reason: 'call_ended' });
  return next(
    withCall(state, null),
    [...over.facts, { fact: { kind: 'call.ended', callId: call.callId, reason, durationMs }, by }],
    [{ type: 'callEnded', call: over.call, reason }],
  );
}

/** Whether the time of a way back has passed. */
export const hasLapsed = (seat: Seat, now: number): seat is Extract<Seat, { state: 'left' }> =>
  seat.state === 'left' && seat.wayBack !== null && now >= seat.wayBack.until;

/** Why the call ends now that these have left, or (none) that nobody comes back any more; null when it goes on. */
function endingOf(call: CallRecord, reasons: readonly SeatLeftReason[]): CallEndReason | null {
  const rings = call.seats.some(isInvited);
  if (call.phase.name === 'ringing') {
    const caller = seatOf(call, call.startedBy);
    // A ring without its caller rings for nobody.
    if (caller === undefined || !isHeld(caller)) return reasons.includes('lost') ? 'lost' : 'cancelled';
    return rings ? null : unanswered(call);
  }
  const held = call.seats.filter(isHeld).length;
  const isAwaited = rings || call.seats.some((seat) => wayBackOf(seat) !== null);
  if (held >= FEWEST || (held > 0 && isAwaited)) return null;
  return reasons.length === 0 || reasons.includes('lost') ? 'lost' : 'completed';
}

/** Why nobody answered. One who declined says more than one who was not there. */
function unanswered(call: CallRecord): CallEndReason {
  const reasons = call.seats.map((seat) => (seat.state === 'left' ? seat.reason : null));
  if (reasons.includes('declined')) return 'declined';
  if (reasons.includes('no_answer')) return 'no_answer';
  return reasons.includes('busy') ? 'busy' : 'cancelled';
}
