import { dueAt } from '@teleconsult/server/consultation/tick';
import { viewCall } from '@teleconsult/server/consultation/view';
import { expect, test } from 'vitest';
import {
  after,
  at,
  callId,
  desk,
  doctor,
  join,
  kinds,
  live,
  liveThree,
  must,
  patient,
  phone,
  rejoin,
  relative,
  ringing,
  rungThird,
  tablet,
  takeOver,
  timings,
  tv,
} from './domain-fixtures.ts';

const lost = { type: 'device.lost', personId: patient, deviceId: phone } as const;
const returned = { type: 'device.returned', personId: patient, deviceId: phone } as const;
const seat = (state: ReturnType<typeof live>, person: string = patient) =>
  state.call?.seats.find(({ personId }) => personId === person);

test('[SEAT1] a lost device leaves its seat reconnecting and the call running', () => {
  const outcome = must(live(), lost, 5_000);
  expect(outcome.facts).toEqual([]);
  expect(seat(outcome.state)).toMatchObject({ state: 'reconnecting', since: 5_000, deviceId: phone });
  expect(outcome.state.call?.phase.name).toBe('live');
});

test('[SEAT2] a person who returns within the grace keeps the seat with the same microphone and camera', () => {
  const muted = after(live(), {
    type: 'seat.setSource',
    by: patient,
    deviceId: phone,
    callId,
    source: 'microphone',
    on: false,
  });
  const back = must(must(muted, lost, 5_000).state, returned, 64_000).state;
  expect(seat(back)).toMatchObject({ state: 'present', microphoneOn: false, cameraOn: true });
});

test('[SEAT3] a seat that is lost for the whole grace is left and can be returned to until the window closes; then one person alone is no call', () => {
  const gone = must(live(), lost, 5_000).state;
  const leftAt = 5_000 + timings.seatGraceMs;
  expect(dueAt(gone, timings)).toBe(leftAt);
  expect(must(gone, { type: 'tick' }, leftAt - 1).facts).toEqual([]);
  const left = must(gone, { type: 'tick' }, leftAt);
  expect(left.facts).toEqual([
    { by: null, fact: { kind: 'call.left', callId, personId: patient, reason: 'lost' } },
  ]);
  expect(left.effects).toEqual([
    { type: 'seatReleased', callId, personId: patient, deviceId: phone, why: 'left' },
  ]);
  const until = leftAt + timings.returnMs;
  expect(left.state.call && viewCall(left.state, left.state.call)).toMatchObject({
    state: 'live',
    seats: [{ state: 'left', leftReason: 'lost', since: leftAt, returnUntil: until }, { returnUntil: null }],
  });
  expect(dueAt(left.state, timings)).toBe(until);
  expect(must(left.state, { type: 'tick' }, until - 1).state).toEqual(left.state);
  const outcome = must(left.state, { type: 'tick' }, until);
  expect(outcome.facts[0]).toMatchObject({ by: null, fact: { kind: 'call.ended', reason: 'lost' } });
});

test('[SEAT4] another device of the person takes the seat over; the old device is released', () => {
  expect(at(live(), join(patient, tablet))).toMatchObject({ code: 'RESUME_REFUSED' });
  const outcome = must(live(), takeOver(patient, tablet));
  expect(outcome.effects).toEqual([
    { type: 'seatReleased', callId, personId: patient, deviceId: phone, why: 'moved' },
  ]);
  expect(seat(outcome.state)).toMatchObject({ state: 'present', deviceId: tablet });
  // What the old device loses afterwards is no longer the seat's concern.
  expect(must(outcome.state, lost).state).toEqual(outcome.state);
});

test('[SEAT5] a ring does not outlive its caller by more than the caller’s grace', () => {
  const gone = must(ringing(), { type: 'device.lost', personId: doctor, deviceId: desk }, 2_000).state;
  const outcome = must(gone, { type: 'tick' }, 2_000 + timings.callerGraceMs);
  expect(kinds(outcome)).toEqual(['call.ended']);
});

const own = { by: patient, deviceId: phone, callId } as const;
const host = { by: doctor, deviceId: desk, callId } as const;

test('[SEAT11] the doctor mutes another’s microphone, and nobody but that person switches it on again', () => {
  const muted = must(live(), { type: 'seat.mute', ...host, personId: patient });
  expect(seat(muted.state)).toMatchObject({ microphoneOn: false, mutedBy: doctor });
  expect(muted.effects).toEqual([{ type: 'sourcesChanged', callId, personId: patient }]);
  // Muting again, or being muted while it is off already, changes nothing.
  expect(must(muted.state, { type: 'seat.mute', ...host, personId: patient }).state).toEqual(muted.state);
  const source = { type: 'seat.setSource', source: 'microphone', on: true } as const;
  const byHost = must(muted.state, { ...source, ...host });
  expect(seat(byHost.state)).toMatchObject({ microphoneOn: false });
  const on = must(byHost.state, { ...source, ...own });
  expect(seat(on.state)).toMatchObject({ microphoneOn: true, mutedBy: null });
  const off = must(on.state, { ...source, ...own, on: false });
  expect(seat(off.state)).toMatchObject({ microphoneOn: false, mutedBy: null });
});

test('[SEAT11] who was muted stays so over a loss and on another device', () => {
  const muted = after(live(), { type: 'seat.mute', ...host, personId: patient });
  const back = after(muted, lost, returned);
  expect(seat(back)).toMatchObject({ microphoneOn: false, mutedBy: doctor });
  expect(seat(after(back, takeOver(patient, tablet)))).toMatchObject({
    microphoneOn: false,
    mutedBy: doctor,
  });
});

test('[SEAT12] a seat whose device a phone call interrupts stays present, and its wishes stay as they were', () => {
  const interrupted = must(live(), { type: 'seat.setInterrupted', ...own, interrupted: true });
  expect(seat(interrupted.state)).toMatchObject({ state: 'present', interrupted: true, microphoneOn: true });
  expect(interrupted.effects).toEqual([{ type: 'sourcesChanged', callId, personId: patient }]);
  const over = must(interrupted.state, { type: 'seat.setInterrupted', ...own, interrupted: false });
  expect(seat(over.state)).toMatchObject({ interrupted: false, microphoneOn: true });
  // The person takes the call over on a device that is not interrupted.
  expect(seat(after(interrupted.state, takeOver(patient, tablet)))).toMatchObject({ interrupted: false });
});

test('[SEAT13] one screen is shared at a time, in video calls alone, and ends with the seat', () => {
  const screen = { type: 'seat.setSource', source: 'screen', on: true } as const;
  expect(at(live('voice'), { ...screen, ...own })).toMatchObject({ code: 'WRONG_STATE' });
  const shared = after(live(), { ...screen, ...own });
  expect(at(shared, { ...screen, ...host })).toMatchObject({ code: 'WRONG_STATE' });
  const voice = must(shared, { type: 'call.setMedia', ...host, media: 'voice' });
  expect(seat(voice.state)).toMatchObject({ screenOn: false });
  expect(voice.effects).toContainEqual({ type: 'sourcesChanged', callId, personId: patient });
  const given = after(shared, { ...screen, ...own, on: false }, { ...screen, ...host });
  expect(seat(given, doctor)).toMatchObject({ screenOn: true });
  // Another device of the person does not show what the former one did.
  expect(seat(after(shared, takeOver(patient, tablet)))).toMatchObject({ screenOn: false });
  const three = after(liveThree(), { ...screen, by: relative, deviceId: tv, callId });
  const left = after(three, { type: 'call.leave', by: relative, deviceId: tv, callId });
  expect(seat(after(left, { ...screen, ...own }))).toMatchObject({ screenOn: true });
});

test('[SEAT15] how a device shows the call is seen by the others, and another device begins anew', () => {
  const floating = after(live(), { type: 'seat.setView', ...own, view: 'floating' });
  expect(floating.call && viewCall(floating, floating.call).seats[0]).toMatchObject({ view: 'floating' });
  expect(seat(after(floating, takeOver(patient, tablet)))).toMatchObject({ view: 'full' });
});

test('[SEAT16] a further seat that does not join a live call in time is left, and the others go on', () => {
  const accepted = must(
    rungThird(),
    { type: 'call.accept', by: relative, deviceId: tv, callId },
    9_000,
  ).state;
  expect(dueAt(accepted, timings)).toBe(9_000 + timings.connectMs);
  const outcome = must(accepted, { type: 'tick' }, 9_000 + timings.connectMs);
  expect(outcome.facts).toEqual([
    { by: null, fact: { kind: 'call.left', callId, personId: relative, reason: 'lost' } },
  ]);
  expect(outcome.state.call?.phase.name).toBe('live');
});

test('[SEAT17] who was lost for the whole grace may join again with their ticket while the others are still talking', () => {
  const gone = after(liveThree(), { type: 'device.lost', personId: relative, deviceId: tv });
  const left = must(gone, { type: 'tick' }, 1_000 + timings.seatGraceMs).state;
  expect(seat(left, relative)).toMatchObject({ state: 'left', reason: 'lost', deviceId: tv });
  const back = must(left, rejoin(relative, tv), 90_000);
  expect(back.facts).toEqual([{ by: relative, fact: { kind: 'call.answered', callId } }]);
  expect(seat(back.state, relative)).toMatchObject({ state: 'present' });
});
