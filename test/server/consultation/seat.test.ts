import { dueAt } from '@teleconsult/server/consultation/tick';
import { expect, test } from 'vitest';
import {
  after,
  callId,
  desk,
  doctor,
  join,
  kinds,
  live,
  must,
  patient,
  phone,
  ringing,
  tablet,
  timings,
} from './domain-fixtures.ts';

const lost = { type: 'device.lost', personId: patient, deviceId: phone } as const;
const returned = { type: 'device.returned', personId: patient, deviceId: phone } as const;
const seat = (state: ReturnType<typeof live>, person = patient) =>
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

test('[SEAT3] a seat that is lost for the whole grace is left, and one person alone is no call', () => {
  const gone = must(live(), lost, 5_000).state;
  expect(dueAt(gone, timings)).toBe(5_000 + timings.seatGraceMs);
  expect(must(gone, { type: 'tick' }, 5_000 + timings.seatGraceMs - 1).facts).toEqual([]);
  const outcome = must(gone, { type: 'tick' }, 5_000 + timings.seatGraceMs);
  expect(outcome.facts[0]?.fact).toMatchObject({ kind: 'call.ended', reason: 'lost' });
});

test('[SEAT4] another device of the person takes the seat over; the old device is released', () => {
  const outcome = must(live(), join(patient, tablet));
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
