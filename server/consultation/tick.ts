import { endCall } from './call.ts';
import { endConsultation } from './lifecycle.ts';
import { type Next, next, withCall } from './outcome.ts';
import type { CallRecord, ConsultationState, Effect, Seat, Timings } from './state.ts';

interface Context {
  readonly now: number;
  readonly timings: Timings;
}

/** The earliest moment at which `tick` would change something; null when time changes nothing. */
export function dueAt(state: ConsultationState, timings: Timings): number | null {
  const moments: number[] = [];
  if (state.phase.name === 'requested' || state.phase.name === 'waiting')
    moments.push(state.phase.since + timings.waitingMs);
  if (state.call !== null) {
    if (state.call.phase.name !== 'live') moments.push(state.call.phase.until);
    for (const seat of state.call.seats) {
      if (seat.state === 'reconnecting') moments.push(seat.since + graceMs(state.call, seat, timings));
    }
  }
  return moments.length === 0 ? null : Math.min(...moments);
}

/** Lets pass what is due at `now`. Calling it early or twice changes nothing. */
export function tick(state: ConsultationState, context: Context): Next {
  const { now, timings } = context;
  const { phase, call } = state;
  if ((phase.name === 'requested' || phase.name === 'waiting') && now >= phase.since + timings.waitingMs)
    return endConsultation(state, { reason: 'expired', by: null }, now);
  if (call === null) return next(state);
  if (call.phase.name === 'ringing' && now >= call.phase.until)
    return endCall(state, call, { reason: 'no_answer', by: null, now });
  if (call.phase.name === 'connecting' && now >= call.phase.until)
    return endCall(state, call, { reason: 'failed', by: null, now });
  return expireSeats(state, call, context);
}

function expireSeats(state: ConsultationState, call: CallRecord, context: Context): Next {
  const { now, timings } = context;
  const effects: Effect[] = [];
  const seats = call.seats.map((seat): Seat => {
    if (seat.state !== 'reconnecting' || now < seat.since + graceMs(call, seat, timings)) return seat;
    const { personId, deviceId, microphoneOn, cameraOn } = seat;
    effects.push({ type: 'seatReleased', callId: call.callId, personId, deviceId, why: 'left' });
    return { personId, state: 'left', since: now, microphoneOn, cameraOn };
  });
  if (effects.length === 0) return next(state);
  // One person alone is no call any more, and a ring without its caller rings for nobody.
  const remaining = seats.filter(({ state: seat }) => seat !== 'left' && seat !== 'invited').length;
  if (remaining < 2) return endCall(state, { ...call, seats }, { reason: 'lost', by: null, now });
  return next(withCall(state, { ...call, seats }), [], effects);
}

const graceMs = (call: CallRecord, seat: Seat, timings: Timings): number =>
  call.phase.name === 'ringing' && seat.personId === call.startedBy
    ? timings.callerGraceMs
    : timings.seatGraceMs;
