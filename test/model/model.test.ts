import type { Attributed } from '@teleconsult/server/consultation/outcome';
import { step } from '@teleconsult/server/consultation/step';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { patient, requested } from '../server/consultation/domain-fixtures.ts';
import { game } from './game.ts';
import { play } from './play.ts';
import { violations } from './violations.ts';

const RUNS = 2_000;

test('[CNS9] [R9] whatever three people with six devices, the host and time do, the tables and the invariants hold', () => {
  const met = new Set<string>();
  fc.assert(
    fc.property(game, (moves) => {
      const played = play(moves, step);
      for (const what of played.met) met.add(what);
      expect(played.wrong).toBeNull();
    }),
    { numRuns: RUNS },
  );
  // A game that never gets far proves nothing: everything that calls can come to was met.
  for (const reason of ['completed', 'cancelled', 'declined', 'busy', 'no_answer', 'failed', 'lost'])
    expect(met).toContain(`ended ${reason}`);
  for (const reason of ['hung_up', 'declined', 'no_answer', 'busy', 'lost', 'removed'])
    expect(met).toContain(`left ${reason}`);
  for (const what of [
    'three present',
    'reconnecting',
    'call.invited',
    'call.mediaChanged',
    'message.removed',
    'RESUME_REFUSED',
    'alone',
    'a way back taken',
    'a way back closed',
    'asking',
    'running',
    'paused',
    'recorded',
    'recording.agreed',
    'recording.resumed',
    'recording.stopped',
    'a follow-up call',
    'followUp.due',
    'followUp.completed',
    'followUp.cancelled',
    'contact.changed',
    'note.signed',
  ])
    expect(met).toContain(what);
}, 60_000);

/** Ways to be wrong that must not stay unnoticed. */
const sabotages: Record<string, typeof step> = {
  'declining ends an answered call': (state, event, context) => {
    const outcome = step(state, event, context);
    return outcome.kind === 'refused' && event.type === 'call.decline'
      ? step(state, { ...event, type: 'call.hangUp' }, context)
      : outcome;
  },
  'whoever hangs up ends the call of three': (state, event, context) => {
    const outcome = step(state, event, context);
    const caller = state.call?.seats.find(({ personId }) => personId === state.call?.startedBy);
    return outcome.kind === 'refused' &&
      outcome.code === 'FORBIDDEN' &&
      event.type === 'call.hangUp' &&
      caller &&
      'deviceId' in caller &&
      caller.deviceId !== null
      ? step(state, { ...event, by: caller.personId, deviceId: caller.deviceId }, context)
      : outcome;
  },
  'a ring that is never over': (state, event, context) =>
    event.type === 'tick' && state.call?.phase.name === 'live'
      ? { kind: 'next', state, facts: [], effects: [] }
      : step(state, event, context),
  'a ticket that nobody compares': (state, event, context) =>
    step(state, event.type === 'seat.join' ? { ...event, takeOver: true } : event, context),
  'a used ticket that is good for ever': (state, event, context) => {
    const outcome = step(state, event, context);
    return outcome.kind === 'refused' && event.type === 'seat.join' && event.ticket !== null
      ? step(state, { ...event, takeOver: true }, context)
      : outcome;
  },
  'a person who is lost ends the call at once': (state, event, context) =>
    step(state, event, { ...context, timings: { ...context.timings, returnMs: 0 } }),
  'a way back that is never closed': (state, event, context) => {
    const outcome = step(state, event, context);
    const ended = outcome.kind === 'next' && outcome.effects.some((effect) => effect.type === 'callEnded');
    return event.type === 'tick' && state.call?.phase.name === 'live' && ended
      ? { kind: 'next', state, facts: [], effects: [] }
      : outcome;
  },
  'a recording that begins without the last answer': (state, event, context) => {
    const outcome = step(state, event, context);
    const call = outcome.kind === 'next' ? outcome.state.call : null;
    return outcome.kind === 'next' && call?.recording?.phase.name === 'asking' && event.type !== 'tick'
      ? {
          ...outcome,
          state: {
            ...outcome.state,
            call: {
              ...call,
              recording: { ...call.recording, phase: { name: 'running', since: context.now } },
            },
          },
        }
      : outcome;
  },
  'somebody who came late and is recorded unasked': (state, event, context) => {
    const outcome = step(state, event, context);
    const call = outcome.kind === 'next' ? outcome.state.call : null;
    return outcome.kind === 'next' && call?.recording?.phase.name === 'running'
      ? {
          ...outcome,
          state: {
            ...outcome.state,
            call: {
              ...call,
              recording: {
                ...call.recording,
                consents: call.recording.consents.map((one) => ({ ...one, state: 'granted' as const })),
              },
            },
          },
        }
      : outcome;
  },
  'a consent that cannot be taken back': (state, event, context) =>
    event.type === 'recording.answer' && !event.granted && state.call?.recording?.phase.name === 'running'
      ? { kind: 'next', state, facts: [], effects: [] }
      : step(state, event, context),
  'a recording that outlives its call in the thread': (state, event, context) => {
    const outcome = step(state, event, context);
    return outcome.kind === 'next' && outcome.effects.some(({ type }) => type === 'callEnded')
      ? {
          ...outcome,
          facts: outcome.facts.filter(({ fact }) => fact.kind !== 'recording.stopped'),
          state: {
            ...outcome.state,
            sequence:
              outcome.state.sequence -
              outcome.facts.filter(({ fact }) => fact.kind === 'recording.stopped').length,
          },
        }
      : outcome;
  },
  'a refusal of contact that nobody obeys': (state, event, context) => {
    const outcome = step(state, event, context);
    return outcome.kind === 'next' && event.type === 'contact.set' && event.refused
      ? { ...outcome, state: { ...outcome.state, followUps: state.followUps, call: state.call } }
      : outcome;
  },
  'a visit that stays open after its follow-up': (state, event, context) => {
    const outcome = step(state, event, context);
    return outcome.kind === 'refused' && event.type === 'call.start' && state.phase.name === 'ended'
      ? step({ ...state, phase: { name: 'active', since: 0 } }, event, context)
      : outcome;
  },
  'a sequence with a gap': (state, event, context) => {
    const outcome = step(state, event, context);
    return outcome.kind === 'next' && event.type === 'call.leave'
      ? { ...outcome, state: { ...outcome.state, sequence: outcome.state.sequence + 1 } }
      : outcome;
  },
  'a change that raises no revision': (state, event, context) => {
    const outcome = step(state, event, context);
    return outcome.kind === 'next' && event.type === 'seat.mute'
      ? { ...outcome, state: { ...outcome.state, callRevision: state.callRevision } }
      : outcome;
  },
};

for (const [name, broken] of Object.entries(sabotages))
  test(`[CNS9 sabotage] [R9 sabotage] ${name}: noticed`, () => {
    const result = fc.check(
      fc.property(game, (moves) => play(moves, broken).wrong === null),
      { numRuns: RUNS, endOnFailure: true },
    );
    expect(result.failed).toBe(true);
  }, 60_000);

test('[CNS9 sabotage] a history with a second ending, an entry after the end or a lost call is noticed', () => {
  const ended: Attributed = { by: null, fact: { kind: 'consultation.ended', reason: 'completed' } };
  const spoken: Attributed = { by: patient, fact: { kind: 'consultation.waiting' } };
  const state = {
    ...requested(),
    phase: { name: 'ended', since: 0, reason: 'completed', declineReason: null, activeSince: null },
  } as const;
  expect(violations([ended, ended], state)).toContain('ended more than once');
  expect(violations([ended, spoken], state)).toContain('something after the end');
  expect(violations([spoken], state)).toContain('phase and thread disagree');
});
