import type { PersonId, PhoneCallId } from '@teleconsult/protocol';
import type { ConsultationEvent } from '@teleconsult/server/consultation/commands';
import type { ConsultationState, Effect } from '@teleconsult/server/consultation/state';
import { step } from '@teleconsult/server/consultation/step';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  after,
  callId,
  desk,
  doctor,
  join,
  liveThree,
  patient,
  phone,
  recordingId,
  relative,
  takeOver,
  timings,
  tv,
} from './domain-fixtures.ts';

const people = [
  [patient, phone],
  [doctor, desk],
  [relative, tv],
] as const;
const acts = [
  'start',
  'accept',
  'join',
  'takeOver',
  'leave',
  'decline',
  'ring',
  'ring',
  'dialIn',
  'answers',
  'answers',
  'phoneLeaves',
  'key',
  'mute',
  'record',
  'record',
  'agree',
  'agree',
  'phoneAgrees',
  'phoneAgrees',
  'lost',
  'returned',
  'refuse',
  'allow',
  'restarted',
  'tick',
  'hangUp',
] as const;
const move = fc.record({
  act: fc.constantFrom(...acts),
  who: fc.nat({ max: 2 }),
  other: fc.nat({ max: 2 }),
  wait: fc.constantFrom(0, 0, 0, 500, 500, 500, 20_000, 46_000, 61_000),
  reason: fc.constantFrom('hung_up', 'declined', 'no_answer', 'busy', 'lost'),
  stale: fc.nat({ max: 9 }).map((number) => number === 0),
});
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

const legOf = (number: number) => `pcl_${String(number).padStart(22, '0')}` as PhoneCallId;
const memberAt = (index: number) => people[index] ?? people[0];

function toEvent(made: Move, state: ConsultationState, index: number): ConsultationEvent {
  const [by, deviceId] = memberAt(made.who);
  const [personId] = memberAt(made.other);
  const place = { by, deviceId, callId };
  // What telephones do is done by one that is there, mostly.
  const rung = state.call?.seats.filter((seat) => seat.phone !== null) ?? [];
  const seat = rung[made.other % Math.max(1, rung.length)];
  const phoneCallId = made.stale ? undefined : seat?.phone?.phoneCallId;
  const of = { personId: seat?.personId ?? personId, callId, phoneCallId: phoneCallId ?? legOf(9_999) };
  switch (made.act) {
    case 'start':
      return { type: 'call.start', ...place, media: 'video' };
    case 'accept':
      return { type: 'call.accept', ...place };
    case 'join':
      return join(by, deviceId);
    case 'takeOver':
      return takeOver(by, deviceId);
    case 'leave':
      return { type: 'call.leave', ...place };
    case 'decline':
      return { type: 'call.decline', ...place };
    case 'hangUp':
      return { type: 'call.hangUp', ...place };
    case 'ring':
      return { type: 'phone.join', ...place, personId, phoneCallId: legOf(index) };
    case 'dialIn':
      return { type: 'phone.dialIn', personId, callId, phoneCallId: legOf(index) };
    case 'answers':
      return { type: 'phone.seatAnswered', ...of };
    case 'phoneLeaves':
      return { type: 'phone.seatLeft', ...of, reason: made.reason };
    case 'key':
      return { type: 'phone.microphone', ...of, on: made.who === 0 };
    case 'mute':
      return { type: 'seat.mute', ...place, personId };
    case 'record':
      return { type: 'recording.start', ...place, recordingId };
    case 'agree':
      return { type: 'recording.answer', ...place, recordingId, granted: true };
    case 'phoneAgrees':
      return { type: 'phone.consent', ...of, recordingId, granted: made.who > 0 };
    case 'lost':
    case 'returned':
      return { type: `device.${made.act}`, personId: by, deviceId };
    case 'refuse':
    case 'allow':
      return { type: 'phone.refused', personId, refused: made.act === 'refuse', person: personId };
    case 'restarted':
    case 'tick':
      return { type: made.act };
    default: {
      const unreachable: never = made.act;
      return unreachable;
    }
  }
}

/** What whoever runs telephones believes, from the effects alone. */
interface Believed {
  readonly personId: PersonId;
  talks: boolean;
  muted: boolean;
  asked: boolean;
}

class Runner {
  readonly legs = new Map<PhoneCallId, Believed>();

  carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'phone.ring') {
        if (this.legs.has(effect.phoneCallId)) throw new Error('rung twice');
        const { personId } = effect;
        this.legs.set(effect.phoneCallId, { personId, talks: false, muted: false, asked: false });
      } else if (effect.type === 'phone.hangUp') {
        if (!this.legs.delete(effect.phoneCallId)) throw new Error('hung up twice');
      } else if (effect.type === 'phone.setMuted' || effect.type === 'phone.askConsent') {
        const leg = this.legs.get(effect.phoneCallId);
        if (leg === undefined) throw new Error(`${effect.type} of a telephone that is not there`);
        if (effect.type === 'phone.setMuted') leg.muted = effect.muted;
        else leg.asked = true;
      }
    }
  }
}

/** Answers what does not hold after the moves. */
function played(moves: readonly Move[], stepped: typeof step, met: Set<string>): string[] {
  // The doctor and the relative in a live call that the patient has left.
  let state = after(liveThree(), { type: 'call.leave', by: patient, deviceId: phone, callId });
  let now = 1_000;
  const runner = new Runner();
  for (const [index, made] of moves.entries()) {
    now += made.wait;
    const event = toEvent(made, state, index);
    const outcome = stepped(state, event, { now, timings });
    if (outcome.kind === 'refused') continue;
    met.add(made.act);
    const before = state;
    state = outcome.state;
    if (event.type === 'phone.seatLeft') runner.legs.delete(event.phoneCallId);
    runner.carryOut(outcome.effects);
    if (event.type === 'phone.seatAnswered') {
      const leg = runner.legs.get(event.phoneCallId);
      if (leg !== undefined) leg.talks = true;
    }
    const legs = (state.call?.seats ?? []).flatMap((seat) =>
      seat.phone === null ? [] : [{ seat, leg: seat.phone }],
    );
    if (legs.length !== runner.legs.size) return ['telephones that the call does not know, or the reverse'];
    for (const { seat, leg } of legs) {
      const believed = runner.legs.get(leg.phoneCallId);
      if (believed?.personId !== seat.personId) return ['another’s telephone'];
      if (leg.state === 'talking') {
        met.add('talking');
        if (seat.state !== 'present' || seat.deviceId !== null) return ['a telephone and a device'];
        if (seat.cameraOn || seat.screenOn) return ['pictures from a telephone'];
        if (believed.muted === seat.microphoneOn) return ['heard though muted, or the reverse'];
        const asked = state.call?.recording?.consents.some(
          (consent) => consent.personId === seat.personId && consent.state === 'asked',
        );
        if (asked === true && !believed.asked) return ['somebody who is never asked'];
      } else if (believed.talks) return ['a telephone that rings again'];
      if (state.phone.refusedBy.includes(seat.personId)) return ['phoned against their wish'];
    }
    for (const seat of state.call?.seats ?? [])
      if (seat.state === 'present' && seat.deviceId === null && seat.phone.state !== 'talking')
        return ['a seat that nobody holds'];
    if (before.call !== null && state.call === null && runner.legs.size > 0)
      return ['a telephone after the end'];
  }
  return [];
}

test('[PHN30] whatever happens to a call, its telephones ring and talk exactly as its seats say', () => {
  const met = new Set<string>();
  fc.assert(
    fc.property(fc.array(move, { minLength: 5, maxLength: 120, size: 'max' }), (moves) => {
      expect(played(moves, step, met)).toEqual([]);
    }),
    { numRuns: 400, seed: 20_261 },
  );
  for (const act of [...acts, 'talking']) expect(met).toContain(act);
}, 60_000);

test.each<[string, typeof step]>([
  [
    'telephones that go on after the call',
    (state, event, context) => {
      const outcome = step(state, event, context);
      if (outcome.kind === 'refused') return outcome;
      const effects = outcome.effects.filter(
        (effect) => effect.type !== 'phone.hangUp' || effect.why !== 'call_ended',
      );
      return { ...outcome, effects };
    },
  ],
  [
    'muting that is never carried out',
    (state, event, context) => {
      const outcome = step(state, event, context);
      if (outcome.kind === 'refused') return outcome;
      return { ...outcome, effects: outcome.effects.filter(({ type }) => type !== 'phone.setMuted') };
    },
  ],
  [
    'a refusal that nobody obeys',
    (state, event, context) => {
      const heedless = { ...state, phone: { ...state.phone, refusedBy: [] } };
      if (event.type !== 'phone.join') return step(state, event, context);
      const outcome = step(heedless, event, context);
      return outcome.kind === 'refused'
        ? outcome
        : { ...outcome, state: { ...outcome.state, phone: state.phone } };
    },
  ],
])(
  '[PHN30 sabotage] %s is found out',
  (_what, sabotaged) => {
    const found = fc.check(
      fc.property(fc.array(move, { minLength: 5, maxLength: 120, size: 'max' }), (moves) => {
        expect(played(moves, sabotaged, new Set())).toEqual([]);
      }),
      { numRuns: 400, seed: 20_261, endOnFailure: true },
    );
    expect(found.failed).toBe(true);
  },
  60_000,
);
