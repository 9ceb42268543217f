import type { ParticipantRole, PhoneBindingId, PhoneCallId } from '@teleconsult/protocol';
import { judge, type Standing } from '@teleconsult/server/consultation/rights';
import { describe, expect, test } from 'vitest';
import {
  active,
  after,
  at,
  begin,
  doctor,
  followedUp,
  kinds,
  must,
  patient,
  relative,
  requested,
  requestedThread,
} from './domain-fixtures.ts';

const bindingId = `pbd_${'0'.repeat(22)}` as PhoneBindingId;
const callOf = (number: number) => `pcl_${String(number).padStart(22, '0')}` as PhoneCallId;
const phoneCallId = callOf(1);
const bound = { type: 'phone.bound', bindingId, expiresAt: 9_000, person: doctor } as const;
const unbound = { type: 'phone.unbound', bindingId, reason: 'consultation_ended', person: null } as const;
const started = { type: 'phone.callStarted', bindingId, phoneCallId, person: doctor } as const;
const answered = { type: 'phone.callAnswered', phoneCallId, person: patient } as const;
const ended = {
  type: 'phone.callEnded',
  phoneCallId,
  reason: 'completed',
  talkMs: 5_000,
  person: null,
} as const;
const refuses = (refused = true) =>
  ({ type: 'phone.refused', personId: patient, refused, person: patient }) as const;

test('[PHN21] facts of masked calls come into the thread with who did it, in every phase', () => {
  const outcome = must(active(), bound);
  expect(outcome.facts).toEqual([{ fact: { kind: 'phone.bound', bindingId, expiresAt: 9_000 }, by: doctor }]);
  const over = after(active(), bound, { type: 'end', by: doctor });
  expect(kinds(must(over, unbound))).toEqual(['phone.unbound']);
  expect(must(active(), ended).facts).toEqual([
    { fact: { kind: 'phone.callEnded', phoneCallId, reason: 'completed', talkMs: 5_000 }, by: null },
  ]);
});

test.each([bound, unbound, started, answered, ended, refuses()])(
  '[PHN22] $type told again is not written again',
  (fact) => {
    const once = after(active(), fact);
    const again = must(once, fact);
    expect(again.facts).toEqual([]);
    expect(again.state).toEqual(once);
  },
);

test('[PHB100] the end of a call that was to be recorded and is not says why', () => {
  expect(must(active(), { ...ended, notRecorded: 'tape_failed' }).facts[0]?.fact).toEqual({
    kind: 'phone.callEnded',
    phoneCallId,
    reason: 'completed',
    talkMs: 5_000,
    notRecorded: 'tape_failed',
  });
});

test('[PHN22] other bindings, other calls and the other ends of a call are other facts', () => {
  const all = after(active(), bound, started, answered, ended, unbound);
  const other = { ...started, phoneCallId: callOf(2) };
  expect(kinds(must(all, other))).toEqual(['phone.callStarted']);
  expect(all.sequence - active().sequence).toBe(5);
});

test('[PHN23] that a call was answered is no news once it is over', () => {
  expect(must(after(active(), started, ended), answered).facts).toEqual([]);
});

test('[PHN24] what is remembered of told facts is bounded, and the newest are among it', () => {
  let state = active();
  for (let number = 0; number < 400; number += 1) {
    const call = { phoneCallId: callOf(number) };
    state = after(state, { ...started, ...call }, { ...ended, ...call });
  }
  expect(state.phone.told.length).toBeLessThanOrEqual(320);
  expect(must(state, { ...ended, phoneCallId: callOf(399) }).facts).toEqual([]);
});

test('[PHN25] a refusal is obeyed and taken back, and is of somebody who takes part', () => {
  const refused = after(active(), refuses());
  expect(refused.phone.refusedBy).toEqual([patient]);
  expect(at(refused, { type: 'phone.bind', by: doctor })).toMatchObject({ code: 'FORBIDDEN' });
  expect(at(refused, { type: 'phone.get', by: doctor }).kind).toBe('next');
  const allowed = must(refused, refuses(false));
  expect(allowed.facts).toMatchObject([{ fact: { kind: 'phone.refused', refused: false }, by: patient }]);
  expect(at(allowed.state, { type: 'phone.bind', by: doctor }).kind).toBe('next');
  expect(at(active(), { ...refuses(), personId: relative })).toMatchObject({ code: 'NOT_FOUND' });
});

test('[PHN26] a thread between doctors has no masked calls', () => {
  expect(at(requestedThread(), bound)).toMatchObject({ code: 'WRONG_STATE' });
  expect(at(requestedThread(), { type: 'phone.get', by: doctor })).toMatchObject({ code: 'FORBIDDEN' });
});

describe('[PHN27] who may ask for masked calls, and when', () => {
  const roles: ParticipantRole[] = ['patient', 'doctor', 'colleague', 'relative', 'interpreter'];
  const standings: Standing[] = ['requested', 'waiting', 'active', 'ended', 'following_up'];
  const always = standings;
  const calling: Standing[] = ['active', 'following_up'];
  const table = {
    'phone.get': always,
    'phone.bind': calling,
    'phone.unbind': always,
    'phone.setRefused': always,
    'phone.join': calling,
  } as const;
  for (const [type, possible] of Object.entries(table) as [keyof typeof table, readonly Standing[]][])
    test(type, () => {
      for (const role of roles)
        for (const standing of standings) {
          const verdict = judge(type, { role, kind: 'visit' }, standing);
          const isPartner = role === 'patient' || role === 'doctor';
          const expected = !isPartner ? 'forbidden' : possible.includes(standing) ? 'allowed' : 'wrong_state';
          expect(verdict, `${role} ${standing}`).toBe(expected);
        }
    });
});

test('[PHN28] a relay number can be asked for while a visit runs or is followed up, and at no other time', () => {
  const bind = { type: 'phone.bind', by: doctor } as const;
  expect(at(requested(), bind)).toMatchObject({ code: 'WRONG_STATE' });
  expect(at(active(), bind).kind).toBe('next');
  expect(at(followedUp(), bind)).toMatchObject({ code: 'WRONG_STATE' });
  expect(at(after(followedUp(), begin), bind).kind).toBe('next');
});
