import type { NoteId, ParticipantRole, PersonId } from '@teleconsult/protocol';
import { MAX_FOLLOW_UP_MS, MAX_FOLLOW_UPS } from '@teleconsult/protocol/limits';
import type { CommandType } from '@teleconsult/server/consultation/commands';
import { judge, type Standing, standingOf } from '@teleconsult/server/consultation/rights';
import type { ConsultationState } from '@teleconsult/server/consultation/state';
import { dueAt } from '@teleconsult/server/consultation/tick';
import { viewBoard, viewConsultation } from '@teleconsult/server/consultation/view';
import { describe, expect, test } from 'vitest';
import {
  active,
  addRelative,
  after,
  agree,
  answer,
  at,
  begin,
  callId,
  colleague,
  complete,
  desk,
  doctor,
  followedUp,
  followUpId,
  IN_A_WEEK,
  join,
  kinds,
  must,
  noteId,
  otherFollowUpId,
  patient,
  phone,
  plan,
  record,
  recordingId,
  relative,
  requested,
  requestedThread,
  say,
  setContact,
  start,
  thirdJoins,
  timings,
} from './domain-fixtures.ts';

const begun = () => after(followedUp(), begin);
const ringing = () => after(begun(), start());
const calling = () => after(ringing(), answer(), join(doctor, desk), join(patient, phone));
const first = (state: ConsultationState) => viewBoard(state).followUps[0];
const DAY = timings.followUpMs;

test('[FUP2] the same clientFollowUpId is the same follow-up, whatever became of it', () => {
  for (const make of [followedUp, begun, () => after(begun(), complete())]) {
    const again = must(make(), { ...plan(5, undefined, otherFollowUpId), reason: 'another' });
    expect(again.facts).toEqual([]);
    expect(viewBoard(again.state)).toEqual(viewBoard(make()));
  }
});

test('[FUP3] a follow-up lies ahead, by five years at most', () => {
  const planned = (ahead: number) => at(active(), plan(1_000 + ahead));
  expect(planned(0)).toMatchObject({ code: 'INVALID' });
  expect(planned(-1)).toMatchObject({ code: 'INVALID' });
  expect(planned(MAX_FOLLOW_UP_MS + 1)).toMatchObject({ code: 'INVALID' });
  for (const ahead of [1, MAX_FOLLOW_UP_MS]) expect(planned(ahead)).toMatchObject({ kind: 'next' });
  const change = (dueAt: number) =>
    at(followedUp(), { type: 'followUp.change', by: doctor, followUpId, dueAt, reason: 'why' });
  for (const dueAt of [1_000, 1_001 + MAX_FOLLOW_UP_MS])
    expect(change(dueAt)).toMatchObject({ code: 'INVALID' });
});

test('[FUP3] a consultation has so many follow-ups and no more', () => {
  let state = active();
  for (let count = 0; count < MAX_FOLLOW_UPS; count++)
    state = after(state, plan(IN_A_WEEK, `follow-up-${1_000 + count}`));
  expect(at(state, plan(IN_A_WEEK, 'one-too-many'))).toMatchObject({ code: 'WRONG_STATE' });
});

test('[FUP4] one that is due keeps being due when its reason changes, and is planned again for another day', () => {
  const due = must(followedUp(), { type: 'tick' }, IN_A_WEEK).state;
  const change = { type: 'followUp.change', by: doctor, followUpId } as const;
  const now = IN_A_WEEK + 5;
  const reworded = must(due, { ...change, dueAt: IN_A_WEEK, reason: 'another' }, now);
  expect(first(reworded.state)).toMatchObject({ state: 'due', since: IN_A_WEEK, reason: 'another' });
  const moved = must(due, { ...change, dueAt: IN_A_WEEK + DAY, reason: 'why' }, now);
  expect(first(moved.state)).toMatchObject({ state: 'planned', since: now, dueAt: IN_A_WEEK + DAY });
  expect(must(due, { ...change, dueAt: IN_A_WEEK, reason: 'why' }, now).facts).toEqual([]);
});

test('[FUP5] one follow-up is carried out at a time', () => {
  const two = after(active(), plan(), plan(IN_A_WEEK, 'follow-up-0002', otherFollowUpId), {
    type: 'end',
    by: doctor,
  });
  const one = after(two, begin);
  const other = { ...begin, followUpId: otherFollowUpId };
  expect(at(one, other)).toMatchObject({ code: 'WRONG_STATE' });
  expect(kinds(must(after(one, complete()), other))).toEqual(['followUp.begun']);
});

test('[FUP6] the visit stays ended while it is followed up: calls are possible in it, messages and changes are not', () => {
  const state = calling();
  expect(viewConsultation(state)).toMatchObject({ phase: 'ended', endReason: 'completed' });
  expect(standingOf(state)).toBe('following_up');
  for (const event of [
    say(),
    addRelative,
    { type: 'end', by: doctor },
    { type: 'host.end', reason: 'completed' },
  ] as const)
    expect(at(state, event), event.type).toMatchObject({ code: 'WRONG_STATE' });
  const recorded = after(state, record(), agree(patient));
  expect(recorded.call?.recording?.phase.name).toBe('running');
  // Guests who still take part are in it, too.
  const withGuest = after(active(), addRelative, plan(), { type: 'end', by: doctor }, begin, start());
  const three = thirdJoins(after(withGuest, answer(), join(doctor, desk), join(patient, phone)));
  expect(three.call?.seats.filter(({ state: seat }) => seat === 'present')).toHaveLength(3);
});

test('[FUP6] without a follow-up that is carried out nobody calls after the end', () => {
  for (const make of [followedUp, () => after(begun(), complete())])
    expect(at(make(), start())).toMatchObject({ code: 'WRONG_STATE' });
});

test('[FUP7] that the patient refuses contact is obeyed at once: the call that rings or runs ends as declined', () => {
  for (const make of [ringing, calling]) {
    const outcome = must(make(), setContact(true), 2_000);
    expect(kinds(outcome)).toEqual(['call.ended', 'contact.changed']);
    expect(outcome.facts[0]).toMatchObject({ fact: { reason: 'declined' }, by: patient });
    expect(outcome.effects).toMatchObject([{ type: 'callEnded', reason: 'declined' }]);
    expect(first(outcome.state)).toMatchObject({ state: 'due', since: 2_000 });
    expect(viewBoard(outcome.state).contactRefusedSince).toBe(2_000);
    for (const event of [begin, start()])
      expect(at(outcome.state, event)).toMatchObject({
        code: event === begin ? 'FORBIDDEN' : 'WRONG_STATE',
      });
  }
  const recorded = must(after(calling(), record(), agree(patient)), setContact(true));
  expect(kinds(recorded)).toEqual(['recording.stopped', 'call.ended', 'contact.changed']);
  expect(recorded.facts[0]?.fact).toMatchObject({ recordingId, reason: 'call_ended' });
});

test('[FUP7] a visit that runs goes on when the patient says that they want no contact after it', () => {
  const state = after(active(), plan(), start(), setContact(true));
  expect(state.call).not.toBeNull();
  const ended = after(state, { type: 'end', by: doctor });
  expect(at(ended, begin)).toMatchObject({ code: 'FORBIDDEN' });
  expect(kinds(must(after(ended, setContact(false)), begin))).toEqual(['followUp.begun']);
});

test('[FUP8] a follow-up is completed once, when its call is over, with the note that holds its result', () => {
  expect(at(calling(), complete())).toMatchObject({ code: 'WRONG_STATE' });
  const over = after(calling(), { type: 'call.hangUp', by: patient, deviceId: phone, callId });
  const done = must(over, { ...complete(), noteId });
  expect(done.facts).toEqual([
    { fact: { kind: 'followUp.completed', followUpId, outcome: 'reached', noteId }, by: doctor },
  ]);
  expect(first(done.state)).toMatchObject({ state: 'done', outcome: 'reached', noteId });
  expect(must(done.state, { ...complete(), noteId }).facts).toEqual([]);
  const otherNote = 'not_0000000000000000000002' as NoteId;
  for (const otherwise of [complete(), { ...complete(), noteId: otherNote }, complete('not_reached')])
    expect(at(done.state, otherwise)).toMatchObject({ code: 'WRONG_STATE' });
});

test('[FUP9] what was begun and forgotten is due again after a day, but nobody’s call is cut off', () => {
  expect(dueAt(begun(), timings)).toBe(1_000 + DAY);
  const forgotten = must(begun(), { type: 'tick' }, 1_000 + DAY);
  expect(kinds(forgotten)).toEqual(['followUp.due']);
  expect(first(forgotten.state)).toMatchObject({ state: 'due', since: 1_000 + DAY });
  const talking = must(calling(), { type: 'tick' }, 1_000 + DAY);
  expect(talking.facts).toEqual([]);
  expect(dueAt(calling(), timings)).toBeNull();
  const over = after(talking.state, { type: 'call.hangUp', by: patient, deviceId: phone, callId });
  expect(dueAt(over, timings)).toBe(1_000 + DAY);
  expect(kinds(must(over, { type: 'tick' }, 2_000 + DAY))).toEqual(['followUp.due']);
});

test('[FUP10] time is looked at for the next follow-up of all, in a visit that runs and in one that has ended', () => {
  const two = after(active(), plan(IN_A_WEEK), plan(5_000, 'follow-up-0002', otherFollowUpId));
  for (const state of [two, after(two, { type: 'end', by: doctor })]) {
    expect(dueAt(state, timings)).toBe(5_000);
    expect(must(state, { type: 'tick' }, 4_999).facts).toEqual([]);
    const both = must(state, { type: 'tick' }, IN_A_WEEK);
    expect(both.facts.map(({ fact, by }) => [fact.kind, by])).toEqual([
      ['followUp.due', null],
      ['followUp.due', null],
    ]);
    expect(dueAt(both.state, timings)).toBeNull();
    expect(viewBoard(both.state).followUps.map(({ dueAt: on }) => on)).toEqual([5_000, IN_A_WEEK]);
  }
});

test('[FUP11] visits are followed up, threads of colleagues are not', () => {
  const thread = after(requestedThread(), { type: 'accept', by: colleague });
  expect(at(thread, plan())).toMatchObject({ code: 'FORBIDDEN' });
  expect(at(thread, setContact(true, doctor))).toMatchObject({ code: 'FORBIDDEN' });
  expect(at(requested(), plan())).toMatchObject({ code: 'WRONG_STATE' });
});

test('[FUP8] that the patient refuses can be said of one that may not be begun', () => {
  const refused = after(followedUp(), setContact(true));
  expect(at(refused, complete())).toMatchObject({ code: 'WRONG_STATE' });
  expect(first(after(refused, complete('refused')))).toMatchObject({ state: 'done', outcome: 'refused' });
});

type Word = 'yes' | 'no' | 'late';
/** Who may: d doctor, p patient, g guests. When: r requested, w waiting, a active, e ended, f followed up. */
const RIGHTS: Readonly<Partial<Record<CommandType, readonly [who: string, when: string]>>> = {
  'recording.start': ['d', 'af'],
  'recording.answer': ['dpg', 'af'],
  'recording.pause': ['d', 'af'],
  'recording.resume': ['d', 'af'],
  'recording.stop': ['d', 'af'],
  'followUp.plan': ['d', 'aef'],
  'followUp.change': ['d', 'aef'],
  'followUp.cancel': ['d', 'aef'],
  'followUp.begin': ['d', 'ef'],
  'followUp.complete': ['d', 'ef'],
  'contact.set': ['p', 'rwaef'],
  'call.start': ['dpg', 'af'],
  'call.accept': ['dpg', 'af'],
  'call.decline': ['dpg', 'af'],
  'call.leave': ['dpg', 'af'],
  'call.hangUp': ['dpg', 'af'],
  'call.invite': ['dpg', 'af'],
  'call.setMedia': ['dpg', 'af'],
  'seat.join': ['dpg', 'af'],
  'seat.setSource': ['dpg', 'af'],
  'seat.setView': ['dpg', 'af'],
  'seat.mute': ['d', 'af'],
  'seat.setInterrupted': ['dpg', 'af'],
  send: ['dpg', 'rwa'],
  recall: ['dpg', 'rwa'],
  enter: ['p', 'rwa'],
  accept: ['d', 'rwa'],
  decline: ['d', 'rw'],
  cancel: ['p', 'rw'],
  end: ['d', 'a'],
  setSubject: ['p', 'rw'],
  'participant.leave': ['g', 'rwa'],
  'participant.remove': ['d', 'rwa'],
};
const ROLES: readonly (readonly [ParticipantRole, string])[] = [
  ['patient', 'p'],
  ['doctor', 'd'],
  ['colleague', 'g'],
  ['relative', 'g'],
  ['interpreter', 'g'],
];
const STANDINGS: readonly (readonly [Standing, string])[] = [
  ['requested', 'r'],
  ['waiting', 'w'],
  ['active', 'a'],
  ['ended', 'e'],
  ['following_up', 'f'],
];

describe('[FUP12] [RECC19] who may do what in which phase of a visit, cell by cell', () => {
  const words: Record<ReturnType<typeof judge>, Word> = {
    allowed: 'yes',
    idle: 'yes',
    forbidden: 'no',
    wrong_state: 'late',
  };
  for (const [command, [who, when]] of Object.entries(RIGHTS) as [CommandType, readonly [string, string]][])
    for (const [role, initial] of ROLES)
      for (const [standing, letter] of STANDINGS) {
        const expected: Word = !who.includes(initial) ? 'no' : when.includes(letter) ? 'yes' : 'late';
        test(`${role} ${command} when ${standing}: ${expected}`, () => {
          expect(words[judge(command, { role, kind: 'visit' }, standing)]).toBe(expected);
        });
      }
});

test('[NOTE1] a note that is signed or added to is told in the thread by its author, while the visit runs and later', () => {
  const signed = { type: 'note.signed', author: doctor, noteId, purpose: 'summary' } as const;
  const added = { type: 'note.added', author: doctor, noteId, addition: 2 } as const;
  for (const state of [active(), followedUp(), begun()]) {
    expect(must(state, signed).facts).toEqual([
      { fact: { kind: 'note.signed', noteId, purpose: 'summary' }, by: doctor },
    ]);
    const ofFollowUp = must(state, { ...signed, purpose: 'follow_up', followUpId });
    expect(ofFollowUp.facts[0]?.fact).toMatchObject({ purpose: 'follow_up', followUpId });
    expect(must(state, added).facts).toEqual([
      { fact: { kind: 'note.added', noteId, addition: 2 }, by: doctor },
    ]);
  }
  for (const event of [signed, added]) {
    expect(at(requested(), event)).toMatchObject({ code: 'WRONG_STATE' });
    expect(at(active(), { ...event, author: 'stranger' as PersonId })).toMatchObject({ code: 'NOT_FOUND' });
    expect(at(active(), { ...event, author: relative })).toMatchObject({ code: 'NOT_FOUND' });
  }
});
