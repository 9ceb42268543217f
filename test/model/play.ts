/** Plays random events against the domain and says where it differs from the reference or breaks an invariant. */
import type { CallId, DeviceId, PersonId } from '@teleconsult/protocol';
import type { ConsultationEvent } from '@teleconsult/server/consultation/commands';
import type { Attributed } from '@teleconsult/server/consultation/outcome';
import { isHeld, wayBackOf } from '@teleconsult/server/consultation/seats';
import type { ConsultationState } from '@teleconsult/server/consultation/state';
import type { step } from '@teleconsult/server/consultation/step';
import { dueAt } from '@teleconsult/server/consultation/tick';
import type { TicketHash } from '@teleconsult/server/consultation/tickets';
import fc from 'fast-check';
import {
  addRelative,
  after,
  desk,
  doctor,
  laptop,
  patient,
  phone,
  relative,
  requested,
  say,
  tablet,
  timings,
  tv,
  watch,
} from '../server/consultation/domain-fixtures.ts';
import type { Model } from './model-state.ts';
import { predict } from './reference.ts';

const people = [patient, doctor, relative] as const;
const devices: ReadonlyMap<PersonId, readonly [DeviceId, DeviceId]> = new Map([
  [patient, [phone, tablet]],
  [doctor, [desk, laptop]],
  [relative, [tv, watch]],
]);

/** How often each act is played. What builds calls up comes more often than what takes them down, so that they get old. */
const acts = {
  'call.start': 6,
  'call.accept': 12,
  'call.decline': 2,
  'call.leave': 2,
  'call.hangUp': 1,
  'call.invite': 6,
  'call.setMedia': 2,
  'seat.join': 16,
  'seat.setSource': 8,
  'seat.mute': 4,
  'seat.setInterrupted': 2,
  'seat.setView': 2,
  'device.lost': 4,
  'device.returned': 4,
  restarted: 1,
  tick: 8,
  'participant.add': 6,
  'host.removeParticipant': 1,
  'participant.remove': 1,
  'participant.leave': 1,
  send: 1,
} as const;
/** What begins and ends consultations. */
const rareActs = ['enter', 'accept', 'decline', 'cancel', 'end', 'host.end', 'host.remove'] as const;

const wait = fc.oneof(
  { weight: 40, arbitrary: fc.nat({ max: 2_000 }) },
  { weight: 3, arbitrary: fc.constantFrom(9_999, 10_000, 29_999, 30_000, 44_999, 45_000, 59_999, 60_000) },
  { weight: 1, arbitrary: fc.constantFrom(899_999, 900_000) },
  { weight: 1, arbitrary: fc.constantFrom(86_400_000, 10_000_000_000) },
);

const move = fc.record({
  act: fc.oneof(
    {
      weight: 120,
      arbitrary: fc.oneof(
        ...Object.entries(acts).map(([act, weight]) => ({
          weight,
          arbitrary: fc.constant(act as keyof typeof acts),
        })),
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom(...rareActs) },
  ),
  person: fc.nat({ max: 2 }),
  other: fc.nat({ max: 2 }),
  // The first device is the one people usually take, so that what they begin comes to something.
  device: fc.constantFrom(0, 0, 0, 0, 0, 1),
  video: fc.boolean(),
  on: fc.boolean(),
  engaged: fc.constantFrom(undefined, undefined, undefined, 'busy' as const, 'knock' as const),
  named: fc.boolean(),
  source: fc.constantFrom('microphone' as const, 'camera' as const, 'screen' as const),
  // Which of the tickets that devices have in hand a join brings; most bring the newest of their own.
  brings: fc.oneof(
    { weight: 12, arbitrary: fc.constant('newest' as const) },
    { weight: 3, arbitrary: fc.constantFrom('former' as const, 'older' as const) },
    { weight: 2, arbitrary: fc.constantFrom('none' as const, 'foreign' as const) },
  ),
  takesOver: fc.constantFrom(false, false, true),
  isStale: fc.nat({ max: 19 }).map((number) => number === 0),
  wait,
});
/** The tickets each device was given and has kept, oldest first. */
type Purse = ReadonlyMap<string, readonly TicketHash[]>;
export type Move = Parameters<typeof toEvent>[0];

export const game = fc.record({
  begun: fc.constantFrom(true, true, true, true, false),
  // `max`: without it fast-check plays a dozen moves at most, and calls never get old.
  moves: fc.array(move, { minLength: 5, maxLength: 150, size: 'max' }),
});
export type Game = typeof game extends fc.Arbitrary<infer T> ? T : never;

const callIdOf = (index: number) => `cal_${String(index).padStart(22, '0')}` as CallId;

function toEvent(
  made: typeof move extends fc.Arbitrary<infer T> ? T : never,
  { state, index, purse }: { state: ConsultationState; index: number; purse: Purse },
): ConsultationEvent {
  const { act } = made;
  const by = people[made.person] ?? patient;
  const personId = people[made.other] ?? doctor;
  const deviceId = devices.get(by)?.[made.device === 0 ? 0 : 1] ?? phone;
  const media = made.video ? 'video' : 'voice';
  const callId = made.isStale ? callIdOf(9_999) : (state.call?.callId ?? callIdOf(index));
  const place = { by, deviceId, callId };
  switch (act) {
    case 'call.start': {
      const engaged = made.engaged && new Map([[personId, made.engaged]]);
      return {
        type: act,
        ...place,
        callId: callIdOf(index),
        media,
        engaged,
        people: made.named ? [personId] : undefined,
      };
    }
    case 'call.invite':
      return { type: act, ...place, personId, engaged: made.engaged };
    case 'call.setMedia':
      return { type: act, ...place, media };
    case 'seat.join': {
      const own = made.brings === 'foreign' ? [...purse.values()].flat() : (purse.get(deviceId) ?? []);
      const back = { newest: 1, foreign: 1, former: 2, older: 3, none: own.length + 1 }[made.brings];
      const ticket = own.at(-back) ?? null;
      const nextTicket = `ticket-${index}` as TicketHash;
      return { type: act, ...place, ticket, nextTicket, takeOver: made.takesOver };
    }
    case 'seat.setSource':
      return { type: act, ...place, source: made.source, on: made.on };
    case 'seat.mute':
      return { type: act, ...place, personId };
    case 'seat.setInterrupted':
      return { type: act, ...place, interrupted: made.on };
    case 'seat.setView':
      return { type: act, ...place, view: made.on ? 'floating' : 'full' };
    case 'device.lost':
    case 'device.returned':
      return { type: act, personId: by, deviceId };
    case 'participant.add':
      return addRelative;
    case 'host.removeParticipant':
      return { type: act, personId };
    case 'participant.remove':
      return { type: act, by, personId };
    case 'host.end':
      return { type: act, reason: 'completed' };
    case 'host.remove': {
      const { messageId } = say();
      return { type: act, target: { sequence: 1, messageId, by, at: 0, withdrawn: false } };
    }
    case 'send':
      return say('text', by, `message-${index}`);
    case 'tick':
    case 'restarted':
      return { type: act };
    default:
      return act.startsWith('call.') || act.startsWith('seat.')
        ? { type: act as 'call.accept', ...place }
        : { type: act as 'enter', by };
  }
}

/** What the reference knows of a state. */
function seen(state: ConsultationState) {
  const { call, phase, participants } = state;
  return {
    phase: phase.name,
    people: participants.map(({ personId }) => personId).sort(),
    call: call && {
      callId: call.callId,
      media: call.media,
      phase: call.phase.name,
      caller: call.startedBy,
      seats: call.seats
        .map((seat) => ({
          person: seat.personId,
          state: seat.state,
          device: 'deviceId' in seat ? seat.deviceId : null,
          reason: seat.state === 'left' ? seat.reason : null,
          returnUntil: wayBackOf(seat)?.until ?? null,
          sends: [seat.microphoneOn, seat.cameraOn, seat.screenOn, seat.mutedBy, seat.interrupted, seat.view],
        }))
        .sort((a, b) => (a.person < b.person ? -1 : 1)),
    },
  };
}

const expected = ({ phase, people: present, call }: Model) => ({
  phase,
  people: [...present.keys()].sort(),
  call: call && {
    callId: call.callId,
    media: call.media,
    phase: call.phase,
    caller: call.caller,
    seats: [...call.seats]
      .map(([person, seat]) => ({
        person,
        state: seat.state,
        device: seat.device,
        reason: seat.reason,
        returnUntil: seat.returnUntil,
        sends: [seat.microphone, seat.camera, seat.screen, seat.mutedBy, seat.interrupted, seat.view],
      }))
      .sort((a, b) => (a.person < b.person ? -1 : 1)),
  },
});

/** What must hold of every history, whatever the tables say; answers what does not. */
export function violations(facts: readonly Attributed[], state: ConsultationState): string[] {
  const found: string[] = [];
  const kinds = facts.map(({ fact }) => fact.kind);
  const end = kinds.indexOf('consultation.ended');
  if (kinds.filter((kind) => kind === 'consultation.ended').length > 1) found.push('ended more than once');
  if (
    end !== -1 &&
    kinds.slice(end + 1).some((kind) => kind !== 'message.removed' && kind !== 'consultation.ended')
  )
    found.push('something after the end');
  if ((state.phase.name === 'ended') !== (end !== -1)) found.push('phase and thread disagree');
  let running: string | null = null;
  for (const { fact } of facts) {
    if (!('callId' in fact)) continue;
    if (fact.kind === 'call.started') {
      if (running !== null) found.push('two calls at once');
      running = fact.callId;
    } else if (fact.callId !== running) found.push(`${fact.kind} of a call that does not run`);
    if (fact.kind === 'call.ended') running = null;
  }
  if ((state.call?.callId ?? null) !== running) found.push('call and thread disagree');
  const seats = state.call?.seats ?? [];
  if (new Set(seats.map(({ personId }) => personId)).size !== seats.length) found.push('a person twice');
  if (seats.filter(({ screenOn }) => screenOn).length > 1) found.push('two screens');
  const held = seats.filter(({ state: seat }) => seat !== 'left' && seat !== 'invited').length;
  if (state.call !== null && held === 0) found.push('a call without anybody in it');
  if (state.call !== null && state.phase.name !== 'active')
    found.push('a call outside an active consultation');
  return found;
}

export interface Played {
  /** The first thing that was not as it must be; null when all was. */
  readonly wrong: string | null;
  /** What happened: kinds of facts, and states calls went through. */
  readonly met: ReadonlySet<string>;
}

export function play({ begun, moves }: Game, stepping: typeof step): Played {
  const met = new Set<string>();
  let state = requested();
  if (begun) state = after(state, { type: 'accept', by: doctor }, addRelative);
  let model: Model = {
    phase: begun ? 'active' : 'requested',
    since: begun ? 1_000 : 0,
    people: new Map(state.participants.map(({ personId, role }) => [personId, role])),
    call: null,
  };
  const facts: Attributed[] = [];
  const purse = new Map<DeviceId, readonly TicketHash[]>();
  let now = 1_000;
  for (const [index, made] of moves.entries()) {
    // The clock of a server that is started again may be behind that of the one before.
    now = Math.max(0, made.act === 'restarted' ? now - 5_000 : now + made.wait);
    const event = toEvent(made, { state, index, purse });
    const where = `${index}: ${JSON.stringify(event)} at ${now}`;
    const foreseen = predict(model, event, now);
    const outcome = stepping(state, event, { now, timings });
    const code = outcome.kind === 'refused' ? outcome.code : null;
    if (code !== ('code' in foreseen ? foreseen.code : null))
      return {
        met,
        wrong: `${where}: ${code ?? 'allowed'} instead of ${'code' in foreseen ? foreseen.code : 'allowed'}`,
      };
    if (code !== null) met.add(code);
    if (outcome.kind === 'refused' || 'code' in foreseen) continue;
    if (event.type === 'seat.join')
      purse.set(event.deviceId, [...(purse.get(event.deviceId) ?? []), event.nextTicket]);
    const ended = outcome.effects.find((effect) => effect.type === 'callEnded')?.reason ?? null;
    if (ended !== foreseen.callEnded)
      return { met, wrong: `${where}: ended ${ended}, not ${foreseen.callEnded}` };
    const [is, must] = [seen(outcome.state), expected(foreseen.model)].map((one) => JSON.stringify(one));
    if (is !== must) return { met, wrong: `${where}: ${is} instead of ${must}` };
    if (outcome.state.sequence !== state.sequence + outcome.facts.length)
      return { met, wrong: `${where}: the sequence has a gap` };
    const changed = JSON.stringify(outcome.state.call) !== JSON.stringify(state.call);
    if (
      changed
        ? outcome.state.callRevision <= state.callRevision
        : outcome.state.callRevision < state.callRevision
    )
      return { met, wrong: `${where}: the revision does not rise` };
    if (state.call && state.call.callId === outcome.state.call?.callId)
      for (const seat of state.call.seats) {
        const after = outcome.state.call.seats.find(({ personId }) => personId === seat.personId);
        if (wayBackOf(seat) !== null && after !== undefined && wayBackOf(after) === null)
          met.add(after.state === 'left' ? 'a way back closed' : 'a way back taken');
      }
    state = outcome.state;
    model = foreseen.model;
    facts.push(...outcome.facts);
    for (const { fact } of outcome.facts) met.add(fact.kind);
    if (ended !== null) met.add(`ended ${ended}`);
    for (const seat of state.call?.seats ?? [])
      met.add(seat.state === 'left' ? `left ${seat.reason}` : seat.state);
    if (state.call?.phase.name === 'live' && state.call.seats.filter(isHeld).length === 1) met.add('alone');
    if (state.call?.seats.filter(({ state: seat }) => seat === 'present').length === 3)
      met.add('three present');
    const [violation] = violations(facts, state);
    if (violation !== undefined) return { met, wrong: `${where}: ${violation}` };
    const due = dueAt(state, timings);
    if (event.type === 'tick' && due !== null && due <= now)
      return { met, wrong: `${where}: due again at ${due}` };
    if (due !== null && !Number.isFinite(due)) return { met, wrong: `${where}: due never` };
  }
  return { met, wrong: null };
}
