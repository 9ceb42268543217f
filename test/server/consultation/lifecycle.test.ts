import type { PersonId } from '@teleconsult/protocol';
import type { ParticipantCommand } from '@teleconsult/server/consultation/commands';
import { judge, rights } from '@teleconsult/server/consultation/rights';
import { dueAt } from '@teleconsult/server/consultation/tick';
import { viewConsultation } from '@teleconsult/server/consultation/view';
import { expect, test } from 'vitest';
import {
  active,
  after,
  at,
  doctor,
  kinds,
  live,
  must,
  patient,
  requested,
  say,
  timings,
} from './domain-fixtures.ts';

const ended = () => after(active(), { type: 'end', by: doctor });
const waiting = () => after(requested(), { type: 'enter', by: patient });
const states = { requested, waiting, active, ended } as const;

const command = (type: 'accept' | 'enter' | 'send', by: PersonId): ParticipantCommand =>
  type === 'send' ? say('hello', by) : { type, by };

test('[CNS3] a command of a role that has no right to it is refused, whatever the phase', () => {
  for (const type of ['enter', 'cancel'] as const)
    for (const make of Object.values(states))
      expect(at(make(), { type, by: doctor })).toMatchObject({ kind: 'refused', code: 'FORBIDDEN' });
  for (const type of ['accept', 'decline', 'end'] as const)
    for (const make of Object.values(states))
      expect(at(make(), { type, by: patient })).toMatchObject({ kind: 'refused', code: 'FORBIDDEN' });
});

test('[CNS4] to somebody who takes no part, a consultation looks like none', () => {
  const stranger = 'stranger' as PersonId;
  for (const type of ['enter', 'accept', 'send'] as const)
    expect(at(active(), command(type, stranger))).toEqual({ kind: 'refused', code: 'NOT_FOUND' });
});

test('[CNS5] every right of the table names at least one role and one phase, and nothing outside it is allowed', () => {
  for (const [type, right] of Object.entries(rights)) {
    expect(right.roles.length, type).toBeGreaterThan(0);
    const comesAfter =
      type.startsWith('followUp.') ||
      ['contact.set', 'phone.get', 'phone.unbind', 'phone.setRefused'].includes(type);
    expect(right.phases.includes('ended'), type).toBe(comesAfter);
  }
  expect(judge('end', { role: 'patient', kind: 'visit' }, 'active')).toBe('forbidden');
});

test('[CNS6] an ending keeps its reason and note, ends the running call first, and happens once', () => {
  const outcome = must(live(), { type: 'end', by: doctor, note: 'done' });
  expect(kinds(outcome)).toEqual(['call.ended', 'consultation.ended']);
  expect(outcome.facts[1]).toEqual({
    by: doctor,
    fact: { kind: 'consultation.ended', reason: 'completed', note: 'done' },
  });
  expect(outcome.state.call).toBeNull();
  expect(viewConsultation(outcome.state)).toMatchObject({ phase: 'ended', endReason: 'completed' });
  expect(at(outcome.state, { type: 'host.end', reason: 'completed' })).toMatchObject({ code: 'WRONG_STATE' });
});

test('[CNS7] a consultation that nobody takes up expires after the configured time and not before', () => {
  const state = waiting();
  const due = dueAt(state, timings);
  expect(due).toBe(1_000 + timings.waitingMs);
  expect(must(state, { type: 'tick' }, (due ?? 0) - 1).facts).toEqual([]);
  const outcome = must(state, { type: 'tick' }, due ?? 0);
  expect(outcome.facts).toEqual([{ by: null, fact: { kind: 'consultation.ended', reason: 'expired' } }]);
  expect(dueAt(outcome.state, timings)).toBeNull();
});

test('[CNS8] each fact takes the next sequence, and a step without facts takes none', () => {
  const state = active();
  expect(state.sequence).toBe(3);
  expect(must(state, say()).state.sequence).toBe(4);
  expect(must(state, { type: 'accept', by: doctor }).state.sequence).toBe(3);
});
