import type { ConsultationState } from '@teleconsult/server/consultation/state';
import { dueAt } from '@teleconsult/server/consultation/tick';
import { expect, test } from 'vitest';
import {
  active,
  addRelative,
  after,
  answer,
  at,
  callId,
  desk,
  doctor,
  join,
  kinds,
  liveThree,
  must,
  patient,
  phone,
  relative,
  rungThird,
  start,
  takeOver,
  timings,
  tv,
} from './domain-fixtures.ts';

const caller = { by: doctor, deviceId: desk, callId };
const second = { by: patient, deviceId: phone, callId };
const third = { by: relative, deviceId: tv, callId };
const ringingTwo = () => after(active(), addRelative, start());
const seat = (state: ConsultationState, person: string) =>
  state.call?.seats.find(({ personId }) => personId === person);
const ended = (reason: string, durationMs = 0) => ({ kind: 'call.ended', callId, reason, durationMs });

test('[CALL13] a call to several goes on when one declines, and ends declined when nobody is left to answer', () => {
  const one = must(ringingTwo(), { type: 'call.decline', ...third }, 2_000);
  expect(one.facts).toEqual([
    { by: relative, fact: { kind: 'call.left', callId, personId: relative, reason: 'declined' } },
  ]);
  expect(one.state.call?.phase.name).toBe('ringing');
  const both = must(one.state, { type: 'tick' }, 1_000 + timings.ringMs);
  // Somebody who was there and declined says more than somebody who was not.
  expect(both.facts[0]?.fact).toEqual(ended('declined'));
});

test('[CALL13] each person rings for the whole time, also one who is invited later', () => {
  const state = after(active(), addRelative, { ...start(), people: [patient] });
  const later = must(state, { type: 'call.invite', ...caller, personId: relative }, 21_000);
  expect(later.facts).toEqual([{ by: doctor, fact: { kind: 'call.invited', callId, personId: relative } }]);
  expect(later.state.call?.phase).toEqual({ name: 'ringing', until: 21_000 + timings.ringMs });
  const first = must(later.state, { type: 'tick' }, 1_000 + timings.ringMs);
  expect(first.facts).toEqual([
    { by: null, fact: { kind: 'call.left', callId, personId: patient, reason: 'no_answer' } },
  ]);
  expect(dueAt(first.state, timings)).toBe(21_000 + timings.ringMs);
  const last = must(first.state, { type: 'tick' }, 21_000 + timings.ringMs);
  expect(last.facts[0]?.fact).toEqual(ended('no_answer'));
});

test('[CALL13] who is busy is told in the thread when others ring, and a jump of the clock ends everything once', () => {
  const outcome = must(after(active(), addRelative), { ...start(), engaged: new Map([[relative, 'busy']]) });
  expect(kinds(outcome)).toEqual(['call.started', 'call.left']);
  expect(seat(outcome.state, relative)).toMatchObject({ state: 'left', reason: 'busy' });
  const jumped = must(outcome.state, { type: 'tick' }, 10_000_000);
  expect(kinds(jumped)).toEqual(['call.ended']);
  expect(dueAt(jumped.state, timings)).toBeNull();
});

test('[CALL16] a third is invited into a running call, and again after leaving it', () => {
  const left = must(liveThree(), { type: 'call.leave', ...third }, 5_000);
  expect(left.facts).toEqual([
    { by: relative, fact: { kind: 'call.left', callId, personId: relative, reason: 'hung_up' } },
  ]);
  expect(left.effects).toEqual([
    { type: 'seatReleased', callId, personId: relative, deviceId: tv, why: 'left' },
  ]);
  const again = must(left.state, { type: 'call.invite', ...second, personId: relative }, 6_000);
  expect(again.state.call?.phase.name).toBe('live');
  expect(again.state.call?.seats).toHaveLength(3);
  expect(seat(again.state, relative)).toMatchObject({ state: 'invited', ringUntil: 6_000 + timings.ringMs });
  const back = must(again.state, { type: 'call.accept', ...third }, 7_000).state;
  expect(must(back, join(relative, tv), 8_000).state.call?.seats.map(({ state }) => state)).toEqual([
    'present',
    'present',
    'present',
  ]);
});

test('[CALL16] nobody comes into a call uninvited: a seat that was left is taken by invitation alone', () => {
  const left = after(liveThree(), { type: 'call.leave', ...third });
  expect(at(left, takeOver(relative, tv))).toMatchObject({ code: 'WRONG_STATE' });
  expect(at(left, { type: 'call.accept', ...third })).toMatchObject({ code: 'WRONG_STATE' });
  expect(at(left, { ...start('voice', relative, tv) })).toMatchObject({ code: 'WRONG_STATE' });
});

test('[CALL17] leaving does not end the call for the others; it ends when one is left and nobody is rung', () => {
  const two = must(liveThree(), { type: 'call.leave', ...caller }, 11_000).state;
  expect(two.call?.phase.name).toBe('live');
  const one = must(two, { type: 'call.leave', ...third }, 21_000);
  expect(one.facts).toEqual([{ by: relative, fact: ended('completed', 20_000) }]);
  const waiting = must(rungThird(), { type: 'call.leave', ...second }, 11_000).state;
  expect(waiting.call?.phase.name).toBe('live');
  const nobody = must(waiting, { type: 'tick' }, 1_000 + timings.ringMs);
  expect(nobody.facts[0]?.fact).toEqual(ended('completed', timings.ringMs));
});

test('[CALL17] a call in which one is left alone with a ring goes on with whoever answers', () => {
  const alone = must(after(ringingTwo(), answer()), { type: 'call.leave', ...second }, 2_000).state;
  // The time to connect does not run out while somebody is rung, and begins anew with their answer.
  expect(must(alone, { type: 'tick' }, 40_000).state.call?.phase.name).toBe('connecting');
  const answered = must(alone, { type: 'call.accept', ...third }, 40_000).state;
  expect(answered.call?.phase).toEqual({
    name: 'connecting',
    answeredAt: 1_000,
    until: 40_000 + timings.connectMs,
  });
  const both = after(answered, join(doctor, desk), join(relative, tv));
  expect(both.call?.phase.name).toBe('live');
});

test('[CALL18] the caller and the doctor end a call of more than two for all; others can only leave it', () => {
  expect(at(liveThree(), { type: 'call.hangUp', ...third })).toMatchObject({ code: 'FORBIDDEN' });
  expect(kinds(must(liveThree(), { type: 'call.hangUp', ...caller }))).toEqual(['call.ended']);
  const byPatient = after(
    active(),
    addRelative,
    start('voice', patient, phone),
    { type: 'call.accept', ...caller },
    { type: 'call.accept', ...third },
  );
  expect(kinds(must(byPatient, { type: 'call.hangUp', ...caller }))).toEqual(['call.ended']);
  expect(kinds(must(byPatient, { type: 'call.hangUp', ...second }))).toEqual(['call.ended']);
  expect(at(byPatient, { type: 'call.hangUp', ...third })).toMatchObject({ code: 'FORBIDDEN' });
});

test('[CALL20] a person who is taken out of the consultation leaves its call first', () => {
  const outcome = must(liveThree(), { type: 'participant.remove', by: doctor, personId: relative });
  expect(outcome.facts).toEqual([
    { by: doctor, fact: { kind: 'call.left', callId, personId: relative, reason: 'removed' } },
    { by: doctor, fact: { kind: 'participant.left', personId: relative, reason: 'removed' } },
  ]);
  expect(outcome.effects.map(({ type }) => type)).toEqual(['seatReleased', 'participantLeft']);
  expect(at(outcome.state, { type: 'call.invite', ...caller, personId: relative })).toMatchObject({
    code: 'NOT_FOUND',
  });
  expect(at(outcome.state, takeOver(relative, tv))).toMatchObject({ code: 'NOT_FOUND' });
});

test('[CALL20] a call between a guest who is taken out and one other ends', () => {
  const state = after(
    active(),
    addRelative,
    { ...start(), people: [relative] },
    { type: 'call.accept', ...third },
  );
  const outcome = must(state, { type: 'host.removeParticipant', personId: relative }, 3_000);
  expect(kinds(outcome)).toEqual(['call.ended', 'participant.left']);
  const rung = after(active(), addRelative, { ...start(), people: [relative] });
  const cancelled = must(rung, { type: 'participant.leave', by: relative });
  expect(cancelled.facts[0]?.fact).toEqual(ended('cancelled'));
});
