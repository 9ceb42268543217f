import { AppError, type PhoneCallId } from '@teleconsult/protocol';
import type { ConsultationState, Effect } from '@teleconsult/server/consultation/state';
import { DEFAULT_PHONE_SETTINGS } from '@teleconsult/server/telephony/bindings/settings';
import { FakeTelephones } from '@teleconsult/server/telephony/party/fake-telephones';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import {
  active,
  after,
  at,
  callId,
  desk,
  doctor,
  join,
  live,
  liveThree,
  must,
  patient,
  phone,
  relative,
  ringing,
  timings,
} from '../../consultation/domain-fixtures.ts';
import { call, openPartyStage, PATIENT, type PartyStage, TELEPHONE, visit } from './party-stage.ts';

const phoneCallId = `pcl_${'0'.repeat(21)}1` as PhoneCallId;
const otherPhoneCallId = `pcl_${'0'.repeat(21)}2` as PhoneCallId;
const dials = (personId = patient, id = phoneCallId) =>
  ({ type: 'phone.dialIn', personId, callId, phoneCallId: id }) as const;
const answers = (personId = patient, id = phoneCallId) =>
  ({ type: 'phone.seatAnswered', personId, callId, phoneCallId: id }) as const;
const rings = (id = otherPhoneCallId) =>
  ({ type: 'phone.join', by: doctor, deviceId: desk, callId, personId: patient, phoneCallId: id }) as const;
const seatOf = ({ call: running }: ConsultationState, personId = patient) =>
  running?.seats.find((seat) => seat.personId === personId);
const typesOf = (effects: readonly Effect[]) => effects.map(({ type }) => type);
/** The doctor and a relative talk; the patient has left. */
const withoutPatient = () => after(liveThree(), { type: 'call.leave', by: patient, deviceId: phone, callId });

test('[PTY60] who dials in while others are in the call has a ring of their own there, and then the seat', () => {
  const rung = must(withoutPatient(), dials(), 2_000);
  const until = 2_000 + timings.ringMs;
  expect(rung.effects).toEqual([{ type: 'phone.ring', callId, personId: patient, phoneCallId, until }]);
  // Nobody has invited them.
  expect(rung.facts).toEqual([]);
  expect(must(rung.state, dials(), 2_001)).toMatchObject({ state: rung.state, effects: [] });
  const taken = must(rung.state, answers());
  expect(taken.facts).toMatchObject([{ fact: { kind: 'call.answered' }, by: patient }]);
  expect(seatOf(taken.state)).toMatchObject({ state: 'present', deviceId: null, cameraOn: false });
  const gone = must(rung.state, { ...answers(), type: 'phone.seatLeft', reason: 'lost' } as const);
  expect(seatOf(gone.state)).toMatchObject({ state: 'left', reason: 'lost' });
});

test('[PTY60] who dials in while they are called answers that call; for a device that was lost, too', () => {
  const called = after(ringing(), join(doctor, desk), dials(), answers());
  expect(called.call?.phase.name).toBe('live');
  expect(seatOf(called)).toMatchObject({ state: 'present', deviceId: null });
  const lost = after(live(), { type: 'device.lost', personId: patient, deviceId: phone });
  const onDevice = must(lost, dials());
  expect(seatOf(onDevice.state)).toMatchObject({ state: 'reconnecting', deviceId: phone });
  const moved = must(onDevice.state, answers());
  expect(moved.effects).toMatchObject([{ type: 'seatReleased', deviceId: phone, why: 'moved' }]);
  // It came to nothing: the device may come back.
  const kept = must(onDevice.state, { ...answers(), type: 'phone.seatLeft', reason: 'lost' } as const);
  expect(seatOf(kept.state)).toMatchObject({ state: 'reconnecting', deviceId: phone, phone: null });
});

test('[PTY61] nobody dials into a call without anybody to talk with, as a guest, against a refusal, or twice', () => {
  expect(at(active(), dials())).toMatchObject({ code: 'NOT_FOUND' });
  expect(at(withoutPatient(), dials(relative))).toMatchObject({ code: 'WRONG_STATE' });
  const alone = after(ringing(), { type: 'call.decline', by: patient, deviceId: phone, callId } as const);
  expect(at(alone, dials())).toMatchObject({ code: 'NOT_FOUND' });
  expect(at(ringing(), dials(doctor))).toMatchObject({ code: 'WRONG_STATE' });
  const refuses = { type: 'phone.refused', personId: patient, refused: true, person: patient } as const;
  expect(at(after(withoutPatient(), refuses), dials())).toMatchObject({ code: 'FORBIDDEN' });
  const there = after(withoutPatient(), dials(), answers());
  expect(at(there, dials(patient, otherPhoneCallId))).toMatchObject({ code: 'BUSY' });
  // Whoever forges their number takes no seat from them.
  expect(at(live(), dials())).toMatchObject({ code: 'WRONG_STATE' });
  const ended = after(withoutPatient(), { type: 'end', by: doctor });
  expect(at(ended, dials())).toMatchObject({ code: 'NOT_FOUND' });
});

test('[PTY62] a telephone that is rung for somebody who dials in stops ringing', () => {
  const rung = after(withoutPatient(), rings());
  const outcome = must(rung, dials());
  expect(outcome.effects).toMatchObject([
    { type: 'phone.hangUp', phoneCallId: otherPhoneCallId },
    { type: 'phone.ring', phoneCallId },
  ]);
  expect(at(outcome.state, answers(patient, otherPhoneCallId))).toMatchObject({ code: 'NOT_FOUND' });
  expect(typesOf(must(outcome.state, answers()).effects)).not.toContain('phone.hangUp');
});

/** Somebody has dialled in, and was answered. */
async function dialledIn(stage: PartyStage) {
  const line = new FakeTelephones();
  const telephone = await line.dialOut({ ...TELEPHONE, language: 'zh', ringMs: 0, maxTalkMs: 0 });
  telephone.answer();
  const refusal = await stage.parties.join(
    { consultationId: visit, callId: call, personId: PATIENT },
    telephone,
  );
  return { telephone, refusal };
}

test('[PTY63] who has dialled in hears that they are connected, has the seat, and talks with the room', async () => {
  await using stage = await openPartyStage();
  const { telephone, refusal } = await dialledIn(stage);
  expect(refusal).toBeNull();
  await eventually('sound', () => telephone.isBridged);
  expect(telephone.said).toEqual(['connecting']);
  expect(stage.told).toEqual([{ type: 'phone.seatAnswered', ...stage.place }]);
  expect(stage.telephones.rung).toEqual([]);
  telephone.press('*6');
  await eventually('a key', () => stage.told.at(-1)?.type === 'phone.microphone');
  telephone.end('completed');
  await eventually('an end', () => stage.parties.size === 0);
  expect(stage.told.at(-1)).toMatchObject({ type: 'phone.seatLeft', reason: 'hung_up' });
});

test.each([
  ['BUSY', 'busy'],
  ['FORBIDDEN', 'refused'],
  ['NOT_FOUND', 'unavailable'],
  ['STORAGE_UNAVAILABLE', 'unavailable'],
] as const)(
  '[PTY64] a call that answers %s has no place, and whoever dialled in is told: %s',
  async (code, prompt) => {
    await using stage = await openPartyStage();
    stage.state.refusals.push(new AppError(code));
    const { refusal } = await dialledIn(stage);
    expect(refusal).toBe(prompt);
    expect([stage.parties.size, stage.told.length, stage.telephones.rung.length]).toEqual([0, 0, 0]);
  },
);

test('[PTY64] there is no place beyond a limit, where nobody takes the telephone, and on a server that stops', async () => {
  const limits = { ...DEFAULT_PHONE_SETTINGS.limits, person: { calls: 1, talkMs: 3_600_000 } };
  await using stage = await openPartyStage({ settings: { ...DEFAULT_PHONE_SETTINGS, limits } });
  const first = await dialledIn(stage);
  first.telephone.end('completed');
  await eventually('room', () => stage.parties.size === 0);
  const told = stage.told.length;
  expect((await dialledIn(stage)).refusal).toBe('unavailable');
  expect([stage.told.length, stage.parties.size]).toEqual([told, 0]);
  await using other = await openPartyStage();
  other.state.takesDialIns = false;
  expect((await dialledIn(other)).refusal).toBe('unavailable');
  other.state.takesDialIns = true;
  await other.parties.close();
  expect((await dialledIn(other)).refusal).toBe('unavailable');
  expect([other.parties.size, other.telephones.rung.length]).toEqual([0, 0]);
});

test('[PTY64] a seat that is gone when it is to be taken is told to whoever dialled in', async () => {
  await using stage = await openPartyStage({
    calls: {
      dialIn: async (_id, place) =>
        stage.carryOut({ type: 'phone.ring', ...place, until: Date.now() + 30_000 }),
      tell: async () => {
        throw new AppError('NOT_FOUND');
      },
    },
  });
  const { telephone } = await dialledIn(stage);
  await eventually('an end', () => stage.parties.size === 0);
  expect(telephone.hungUp).toMatchObject({ prompt: 'unavailable' });
});

test('[PTY65] who dialled in talks no longer than is left of a limit', async () => {
  const settings = { ...DEFAULT_PHONE_SETTINGS, maxTalkMs: 150 };
  await using stage = await openPartyStage({ settings });
  const { telephone } = await dialledIn(stage);
  await eventually('an end', () => stage.parties.size === 0);
  expect(telephone.hungUp).toEqual({ prompt: 'time_over', end: 'time_over' });
  expect(stage.told.at(-1)).toMatchObject({ type: 'phone.seatLeft', reason: 'lost' });
});
