import type { CallId, DeviceId, PersonId } from '@teleconsult/protocol';
import type { ConsultationEvent } from '@teleconsult/server/consultation/commands';
import type { Attributed } from '@teleconsult/server/consultation/outcome';
import type { ConsultationState } from '@teleconsult/server/consultation/state';
import { step } from '@teleconsult/server/consultation/step';
import { dueAt } from '@teleconsult/server/consultation/tick';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { desk, doctor, patient, phone, requested, say, tablet, timings } from './domain-fixtures.ts';

const RUNS = 2_000;

const people = fc.constantFrom<[PersonId, DeviceId]>([patient, phone], [patient, tablet], [doctor, desk]);
const media = fc.constantFrom('voice' as const, 'video' as const);

/** An event without a call id: which call it is about is decided when it is played, so that most of them fit. */
const events = fc.oneof(
  fc
    .constantFrom('enter', 'accept', 'decline', 'cancel', 'end', 'send', 'host.end')
    .map((type) => ({ type })),
  fc
    .constantFrom('start', 'answer', 'refuse', 'hangUp', 'join', 'lost', 'returned')
    .map((type) => ({ type })),
  fc.constant({ type: 'setMedia' }),
  fc.constant({ type: 'tick' }),
);
const play = fc.array(fc.tuple(events, people, media, fc.nat({ max: 90_000 })), {
  minLength: 5,
  maxLength: 60,
});

function toEvent(
  type: string,
  [by, deviceId]: [PersonId, DeviceId],
  kind: 'voice' | 'video',
  context: { state: ConsultationState; index: number },
): ConsultationEvent {
  const callId = context.state.call?.callId ?? (`cal_${String(context.index).padStart(22, '0')}` as CallId);
  switch (type) {
    case 'start':
      return {
        type: 'call.start',
        by,
        deviceId,
        callId: `cal_${String(context.index).padStart(22, '0')}` as CallId,
        media: kind,
      };
    case 'answer':
      return { type: 'call.accept', by, deviceId, callId };
    case 'refuse':
      return { type: 'call.decline', by, callId };
    case 'hangUp':
      return { type: 'call.hangUp', by, deviceId, callId };
    case 'setMedia':
      return { type: 'call.setMedia', by, deviceId, callId, media: kind };
    case 'join':
      return { type: 'seat.join', by, deviceId, callId };
    case 'lost':
      return { type: 'device.lost', personId: by, deviceId };
    case 'returned':
      return { type: 'device.returned', personId: by, deviceId };
    case 'tick':
      return { type: 'tick' };
    case 'send':
      return say('text', by, `message-${context.index}`);
    case 'host.end':
      return { type: 'host.end', reason: 'completed' };
    default:
      return { type: type as 'enter', by };
  }
}

/** What must hold of every history; answers what does not. */
function violations(facts: readonly Attributed[], state: ConsultationState): string[] {
  const found: string[] = [];
  const kinds = facts.map(({ fact }) => fact.kind);
  const endings = kinds.filter((kind) => kind === 'consultation.ended').length;
  if (endings > 1) found.push('ended more than once');
  if (endings === 1 && kinds.at(-1) !== 'consultation.ended') found.push('something after the end');
  if ((state.phase.name === 'ended') !== (endings === 1)) found.push('phase and thread disagree');
  // The first entry, the request, is not among the facts.
  if (state.sequence !== facts.length + 1) found.push('sequence has a gap');
  let running: string | null = null;
  for (const { fact } of facts) {
    if (fact.kind === 'call.started') {
      if (running !== null) found.push('two calls at once');
      running = fact.callId;
    }
    if (fact.kind === 'call.answered' && fact.callId !== running) found.push('answered without a ring');
    if (fact.kind === 'call.ended') {
      if (fact.callId !== running) found.push('ended without a start');
      running = null;
    }
  }
  if ((state.call?.callId ?? null) !== running) found.push('call and thread disagree');
  const holders = state.call?.seats.map(({ personId }) => personId) ?? [];
  if (new Set(holders).size !== holders.length) found.push('a person twice');
  if (state.call !== null && state.phase.name !== 'active')
    found.push('a call outside an active consultation');
  return found;
}

test('[CNS9] [R9] whatever happens in whatever order, no illegal transition, one ending, nothing after it', () => {
  fc.assert(
    fc.property(play, (moves) => {
      let state = requested();
      let now = 0;
      const facts: Attributed[] = [];
      for (const [index, [{ type }, who, kind, wait]] of moves.entries()) {
        now += wait;
        const outcome = step(state, toEvent(type, who, kind, { state, index }), { now, timings });
        if (outcome.kind === 'refused') continue;
        state = outcome.state;
        facts.push(...outcome.facts);
        expect(violations(facts, state)).toEqual([]);
        const due = dueAt(state, timings);
        expect(due === null || Number.isFinite(due)).toBe(true);
      }
    }),
    { numRuns: RUNS },
  );
});

test('[CNS9 sabotage] a history with a second ending, an entry after the end or a lost call is noticed', () => {
  const ended: Attributed = { by: null, fact: { kind: 'consultation.ended', reason: 'completed' } };
  const spoken: Attributed = { by: patient, fact: { kind: 'consultation.waiting' } };
  const state = {
    ...requested(),
    phase: { name: 'ended', since: 0, reason: 'completed' },
    sequence: 3,
  } as const;
  expect(violations([ended, ended], state)).toContain('ended more than once');
  expect(violations([ended, spoken], state)).toContain('something after the end');
  expect(violations([ended], state)).toContain('sequence has a gap');
});
