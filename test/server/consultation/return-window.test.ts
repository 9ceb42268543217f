import type { ConsultationState } from '@teleconsult/server/consultation/state';
import { dueAt } from '@teleconsult/server/consultation/tick';
import { viewCall } from '@teleconsult/server/consultation/view';
import { expect, test } from 'vitest';
import {
  active,
  addRelative,
  after,
  alone,
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
  rejoin,
  relative,
  start,
  tablet,
  takeOver,
  timings,
  tv,
} from './domain-fixtures.ts';

const caller = { by: doctor, deviceId: desk, callId };
const lostOne = { by: patient, deviceId: phone, callId };
/** When the window of `alone` closes. */
const CLOSES = 1_000 + timings.returnMs;
const ended = (reason: string, durationMs: number) => ({ kind: 'call.ended', callId, reason, durationMs });
const seat = (state: ConsultationState, person: string = patient) =>
  state.call?.seats.find(({ personId }) => personId === person);
const lose = (state: ConsultationState, personId: typeof patient, deviceId: typeof phone, now: number) =>
  must(must(state, { type: 'device.lost', personId, deviceId }, now).state, { type: 'tick' }, now + 60_000);

test('[CALL22] one who stays waits for one who was lost until the window closes, and not a moment longer', () => {
  expect(dueAt(alone(), timings)).toBe(CLOSES);
  expect(must(alone(), { type: 'tick' }, CLOSES - 1).state.call?.phase.name).toBe('live');
  const over = must(alone(), { type: 'tick' }, CLOSES);
  expect(over.facts).toEqual([{ by: null, fact: ended('lost', CLOSES - 1_000) }]);
  expect(dueAt(over.state, timings)).toBeNull();
});

test('[CALL22] a window that passed while nobody looked is closed: nobody comes back through it', () => {
  expect(at(alone(), rejoin(patient, phone), CLOSES)).toMatchObject({ code: 'WRONG_STATE' });
  expect(at(alone(), takeOver(patient, tablet), CLOSES)).toMatchObject({ code: 'WRONG_STATE' });
  expect(at(alone(), rejoin(patient, phone), CLOSES - 1).kind).toBe('next');
});

test('[CALL23] who was lost comes back with the same microphone and camera, and the thread says so', () => {
  const { call } = alone();
  const muted = {
    ...alone(),
    call: call && {
      ...call,
      seats: call.seats.map((one) => ({ ...one, microphoneOn: false, mutedBy: doctor })),
    },
  };
  const back = must(muted, rejoin(patient, phone), 500_000);
  expect(back.facts).toEqual([{ by: patient, fact: { kind: 'call.answered', callId } }]);
  expect(seat(back.state)).toMatchObject({ state: 'present', microphoneOn: false, mutedBy: doctor });
  expect(back.state.call && viewCall(back.state, back.state.call).seats[0]).toMatchObject({
    returnUntil: null,
  });
  expect(dueAt(back.state, timings)).toBeNull();
});

test('[CALL23] who comes back on another device takes the seat over, and the old device is told', () => {
  const back = must(alone(), takeOver(patient, tablet), 500_000);
  expect(kinds(back)).toEqual(['call.answered']);
  expect(back.effects).toEqual([
    { type: 'seatReleased', callId, personId: patient, deviceId: phone, why: 'moved' },
  ]);
});

test('[CALL23] each loss has a window of its own', () => {
  const again = lose(must(alone(), rejoin(patient, phone), 600_000).state, patient, phone, 700_000).state;
  expect(dueAt(again, timings)).toBe(760_000 + timings.returnMs);
});

test('[CALL24] the one who stays ends the call whenever they like, completed', () => {
  for (const type of ['call.hangUp', 'call.leave'] as const)
    expect(must(alone(), { type, ...caller }, 11_000).facts).toEqual([
      { by: doctor, fact: ended('completed', 10_000) },
    ]);
});

test('[CALL24] who was lost may give the return up, so that nobody waits for them', () => {
  for (const type of ['call.hangUp', 'call.leave'] as const) {
    expect(must(alone(), { type, ...lostOne }, 11_000).facts).toEqual([
      { by: patient, fact: ended('completed', 10_000) },
    ]);
    // Of three the others go on, whoever it is.
    const three = lose(liveThree(), patient, phone, 2_000).state;
    const given = must(three, { type, ...lostOne }, 90_000);
    expect(given.facts[0]?.fact).toMatchObject({ kind: 'call.left', personId: patient, reason: 'hung_up' });
    expect(at(given.state, rejoin(patient, phone), 91_000)).toMatchObject({ code: 'WRONG_STATE' });
    expect(dueAt(given.state, timings)).toBeNull();
    expect(at(alone(), { type, ...lostOne, deviceId: tablet })).toMatchObject({ code: 'WRONG_STATE' });
  }
});

test('[CALL25] a call that nobody holds a seat of ends at once, whatever windows are open', () => {
  const gone = must(alone(), { type: 'device.lost', personId: doctor, deviceId: desk }, 300_000).state;
  expect(dueAt(gone, timings)).toBe(300_000 + timings.seatGraceMs);
  const over = must(gone, { type: 'tick' }, 300_000 + timings.seatGraceMs);
  expect(over.facts[0]?.fact).toMatchObject({ kind: 'call.ended', reason: 'lost' });
});

test('[CALL26] of several windows the last one counts, and one that closes among others only closes', () => {
  const one = lose(liveThree(), patient, phone, 2_000).state;
  const two = lose(one, relative, tv, 202_000).state;
  const [first, second] = [62_000 + timings.returnMs, 262_000 + timings.returnMs];
  const closed = must(two, { type: 'tick' }, first);
  expect(closed.facts).toEqual([]);
  expect(closed.state.callRevision).toBe(two.callRevision + 1);
  expect(seat(closed.state)).toMatchObject({ state: 'left', reason: 'lost', wayBack: null });
  expect(at(closed.state, rejoin(patient, phone), first)).toMatchObject({ code: 'WRONG_STATE' });
  expect(dueAt(closed.state, timings)).toBe(second);
  expect(must(closed.state, { type: 'tick' }, second).facts[0]?.fact).toMatchObject({ reason: 'lost' });
  // While two talk with each other a window closes without a word.
  const quiet = must(one, { type: 'tick' }, first);
  expect([quiet.facts, quiet.effects, quiet.state.call?.phase.name]).toEqual([[], [], 'live']);
});

test('[CALL26] somebody who is rung is waited for, too', () => {
  const ringing = after(alone(), addRelative);
  const rung = must(ringing, { type: 'call.invite', ...caller, personId: relative }, CLOSES - 1_000).state;
  const closed = must(rung, { type: 'tick' }, CLOSES).state;
  expect(closed.call?.phase.name).toBe('live');
  const nobody = must(closed, { type: 'tick' }, CLOSES - 1_000 + timings.ringMs);
  expect(nobody.facts[0]?.fact).toMatchObject({ kind: 'call.ended', reason: 'completed' });
});

test('[CALL27] a call that is not live yet waits for nobody who was lost', () => {
  const connecting = after(active(), addRelative, start(), answer(), join(patient, phone));
  const rung = must(connecting, { type: 'device.lost', personId: patient, deviceId: phone }, 1_000).state;
  // The relative is invited anew all the while, so that the call neither fails nor becomes live.
  const invited = {
    ...rung,
    call: rung.call && {
      ...rung.call,
      seats: rung.call.seats.map((one) => (one.state === 'invited' ? { ...one, ringUntil: 99_000 } : one)),
    },
  };
  const left = must(invited, { type: 'tick' }, 61_000).state;
  expect(seat(left)).toMatchObject({ state: 'left', reason: 'lost', wayBack: null });
  expect(at(left, rejoin(patient, phone), 62_000)).toMatchObject({ code: 'WRONG_STATE' });
});

test('[CALL27] who is taken out of the consultation is waited for no more', () => {
  const two = after(
    active(),
    addRelative,
    { ...start(), people: [relative] },
    { type: 'call.accept', by: relative, deviceId: tv, callId },
    join(doctor, desk),
    join(relative, tv),
  );
  const waits = lose(two, relative, tv, 2_000).state;
  expect(waits.call?.phase.name).toBe('live');
  const removed = must(waits, { type: 'participant.remove', by: doctor, personId: relative }, 70_000);
  expect(kinds(removed)).toEqual(['call.ended', 'participant.left']);
});

test('[CALL28] a server that is started again keeps the windows as they are', () => {
  const again = must(alone(), { type: 'restarted' }, 400_000).state;
  expect(seat(again)).toEqual(seat(alone()));
  const there = must(again, { type: 'device.returned', personId: doctor, deviceId: desk }, 410_000).state;
  expect(dueAt(there, timings)).toBe(CLOSES);
  expect(must(there, rejoin(patient, phone), 420_000).state.call?.phase.name).toBe('live');
});
