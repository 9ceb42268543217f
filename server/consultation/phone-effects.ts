/** What telephones have to do, read from what a step changed: no way into or out of a call can be forgotten. */
import type { PersonId, PhoneCallId, RecordingId } from '@teleconsult/protocol';
import type { PhoneEffect, PhoneHangUpReason, PhoneLeg } from './phone-state.ts';
import { seatOf } from './seats.ts';
import type { CallRecord, ConsultationState, Seat } from './state.ts';

interface Rung {
  readonly call: CallRecord;
  readonly seat: Seat;
  readonly leg: PhoneLeg;
}

/** `over` is a telephone that has gone by itself: nobody hangs it up. */
export function phoneEffects(
  before: ConsultationState,
  after: ConsultationState,
  over: PhoneCallId | null,
): readonly PhoneEffect[] {
  if (before.call === after.call) return [];
  const [former, present] = [legsOf(before.call), legsOf(after.call)];
  if (former.size === 0 && present.size === 0) return [];
  const effects: PhoneEffect[] = [];
  for (const [phoneCallId, rung] of former)
    if (!present.has(phoneCallId) && phoneCallId !== over)
      effects.push({ type: 'phone.hangUp', ...placeOf(rung), why: whyGone(rung, after.call) });
  for (const [phoneCallId, rung] of present) effects.push(...followed(former.get(phoneCallId), rung));
  return effects;
}

/** What a telephone that is there does now and did not before. */
function followed(former: Rung | undefined, rung: Rung): PhoneEffect[] {
  const place = placeOf(rung);
  const { leg, seat } = rung;
  if (leg.state === 'ringing')
    return former === undefined ? [{ type: 'phone.ring', ...place, until: leg.until }] : [];
  const hasTalked = former?.leg.state === 'talking';
  const effects: PhoneEffect[] = [];
  const wasMuted = hasTalked && !former.seat.microphoneOn;
  if (wasMuted === seat.microphoneOn)
    effects.push({ type: 'phone.setMuted', ...place, muted: !seat.microphoneOn });
  const asked = askedOf(rung.call, seat.personId);
  if (asked !== null && !(hasTalked && askedOf(former.call, seat.personId) === asked))
    effects.push({ type: 'phone.askConsent', ...place, recordingId: asked });
  return effects;
}

function whyGone({ call, seat }: Rung, after: CallRecord | null): PhoneHangUpReason {
  if (after?.callId !== call.callId) return 'call_ended';
  const now = seatOf(after, seat.personId);
  if (now === undefined) return 'left';
  if (now.state === 'left') return now.reason === 'no_answer' ? 'no_answer' : 'left';
  // Beside the device that holds the seat it rang in vain; any other device answered.
  const stayed = 'deviceId' in seat && 'deviceId' in now && seat.deviceId === now.deviceId;
  return stayed ? 'no_answer' : 'answered_elsewhere';
}

function legsOf(call: CallRecord | null): ReadonlyMap<PhoneCallId, Rung> {
  const legs = new Map<PhoneCallId, Rung>();
  for (const seat of call?.seats ?? [])
    if (call !== null && seat.phone !== null)
      legs.set(seat.phone.phoneCallId, { call, seat, leg: seat.phone });
  return legs;
}

/** The recording that the person is asked for and has not answered. */
const askedOf = ({ recording }: CallRecord, person: PersonId): RecordingId | null =>
  recording?.consents.some(({ personId, state }) => personId === person && state === 'asked') === true
    ? recording.recordingId
    : null;

const placeOf = ({ call: { callId }, seat: { personId }, leg: { phoneCallId } }: Rung) => ({
  callId,
  personId,
  phoneCallId,
});
