import type { PhoneCallId } from '@teleconsult/protocol';
import type { ConsultationEvent } from '@teleconsult/server/consultation/commands';
import type { ConsultationState, Effect } from '@teleconsult/server/consultation/state';
import { dueAt } from '@teleconsult/server/consultation/tick';
import { viewCall } from '@teleconsult/server/consultation/view';
import { expect, test } from 'vitest';
import {
  active,
  addRelative,
  after,
  agree,
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
  record,
  recordingId,
  relative,
  ringing,
  start,
  tablet,
  takeOver,
  timings,
} from './domain-fixtures.ts';

const phoneCallId = `pcl_${'0'.repeat(21)}1` as PhoneCallId;
const otherPhoneCallId = `pcl_${'0'.repeat(21)}2` as PhoneCallId;
const rings = (personId = patient, by = doctor, deviceId = desk, id = phoneCallId) =>
  ({ type: 'phone.join', by, deviceId, callId, personId, phoneCallId: id }) as const;
const of = (personId = patient, id = phoneCallId) => ({ personId, callId, phoneCallId: id });
const answers = (personId = patient, id = phoneCallId) =>
  ({ type: 'phone.seatAnswered', ...of(personId, id) }) as const;
const leaves = (reason: 'hung_up' | 'declined' | 'no_answer' | 'busy' | 'lost', personId = patient) =>
  ({ type: 'phone.seatLeft', ...of(personId), reason }) as const;
const answersConsent = (granted: boolean) =>
  ({ type: 'phone.consent', ...of(), recordingId, granted }) as const;

/** The doctor's call without anybody rung but the patient's telephone. */
const rung = () => after(ringing(), rings());
const onPhone = () => after(rung(), join(doctor, desk), answers());

const seatOf = ({ call }: ConsultationState, personId = patient) =>
  call?.seats.find((seat) => seat.personId === personId);
const shown = (state: ConsultationState, personId = patient) =>
  state.call === null ? null : viewCall(state, state.call).seats.find((seat) => seat.personId === personId);
const phoneEffects = (effects: readonly Effect[]) => effects.filter(({ type }) => type.startsWith('phone.'));

test('[PHN1] a telephone is rung beside the devices, and the seat shows it; asked again it rings once', () => {
  const outcome = must(ringing(), rings(), 2_000);
  const until = 2_000 + timings.ringMs;
  expect(outcome.effects).toEqual([{ type: 'phone.ring', callId, personId: patient, phoneCallId, until }]);
  expect(shown(outcome.state)).toMatchObject({
    state: 'invited',
    phone: true,
    ringUntil: until,
    deviceId: null,
  });
  expect(must(outcome.state, rings(patient, doctor, desk, otherPhoneCallId))).toMatchObject({
    state: outcome.state,
    facts: [],
    effects: [],
  });
});

test('[PHN2] only somebody in the call rings, only a participant is rung, and nobody who does not want to be', () => {
  expect(at(ringing(), rings(patient, doctor, phone))).toMatchObject({ code: 'WRONG_STATE' });
  expect(at(active(), rings())).toMatchObject({ code: 'NOT_FOUND' });
  expect(at(ringing(), rings(relative))).toMatchObject({ code: 'NOT_FOUND' });
  expect(at(live(), rings())).toMatchObject({ code: 'WRONG_STATE' });
  const refuses = { type: 'phone.refused', personId: patient, refused: true, person: patient } as const;
  expect(at(after(ringing(), refuses), rings())).toMatchObject({ code: 'FORBIDDEN' });
  expect(at(ringing(), { ...rings(), by: relative })).toMatchObject({ code: 'NOT_FOUND' });
  const three = after(liveThree(), { type: 'call.leave', by: patient, deviceId: phone, callId });
  expect(at(three, { ...rings(), by: relative })).toMatchObject({ code: 'FORBIDDEN' });
});

test('[PHN3] who answers by telephone is present without a device, camera or ticket, and the call becomes live', () => {
  const outcome = must(after(rung(), join(doctor, desk)), answers());
  expect(kinds(outcome)).toEqual(['call.answered']);
  expect(outcome.facts[0]?.by).toBe(patient);
  expect(outcome.state.call?.phase.name).toBe('live');
  expect(seatOf(outcome.state)).toMatchObject({
    state: 'present',
    deviceId: null,
    tickets: null,
    cameraOn: false,
  });
  expect(shown(outcome.state)).toMatchObject({
    state: 'present',
    phone: true,
    deviceId: null,
    microphoneOn: true,
  });
  expect(must(outcome.state, answers())).toMatchObject({ state: outcome.state, facts: [], effects: [] });
});

test('[PHN4] a device that answers first has the seat, and the telephone is hung up; its late answer is refused', () => {
  const outcome = must(rung(), { type: 'call.accept', by: patient, deviceId: phone, callId });
  expect(phoneEffects(outcome.effects)).toEqual([
    { type: 'phone.hangUp', callId, personId: patient, phoneCallId, why: 'answered_elsewhere' },
  ]);
  expect(shown(outcome.state)).toMatchObject({ phone: false, deviceId: phone });
  expect(at(outcome.state, answers())).toMatchObject({ code: 'NOT_FOUND' });
});

test('[PHN5] a device takes the seat over from a telephone only when it says so, and the telephone is hung up', () => {
  expect(at(onPhone(), join(patient, tablet))).toMatchObject({ code: 'RESUME_REFUSED' });
  const outcome = must(onPhone(), takeOver(patient, tablet));
  expect(outcome.effects).toEqual([
    { type: 'phone.hangUp', callId, personId: patient, phoneCallId, why: 'answered_elsewhere' },
  ]);
  expect(shown(outcome.state)).toMatchObject({ phone: false, deviceId: tablet, state: 'present' });
});

test('[PHN6] one’s own telephone takes the seat from the device, with a microphone that only others’ muting keeps off', () => {
  const asked = must(live(), rings(patient, patient, phone));
  expect(shown(asked.state)).toMatchObject({ phone: false, state: 'present', deviceId: phone });
  const outcome = must(asked.state, answers());
  expect(outcome.facts).toEqual([]);
  expect(outcome.effects).toEqual([
    { type: 'seatReleased', callId, personId: patient, deviceId: phone, why: 'moved' },
  ]);
  expect(shown(outcome.state)).toMatchObject({ phone: true, deviceId: null, cameraOn: false });
  const mute = { type: 'seat.mute', by: doctor, deviceId: desk, callId, personId: patient } as const;
  const muted = must(after(asked.state, mute), answers());
  expect(shown(muted.state)).toMatchObject({ microphoneOn: false, mutedBy: doctor });
  expect(phoneEffects(muted.effects)).toEqual([{ type: 'phone.setMuted', ...of(), muted: true }]);
});

test.each([
  ['no_answer', 'no_answer', null],
  ['busy', 'busy', null],
  ['declined', 'declined', patient],
  ['lost', 'lost', null],
] as const)(
  '[PHN7] a seat rung for its telephone alone is left when that does not answer: %s',
  (reason, left, by) => {
    const three = after(liveThree(), { type: 'call.leave', by: patient, deviceId: phone, callId }, rings());
    const outcome = must(three, leaves(reason));
    expect(outcome.facts).toEqual([
      { fact: { kind: 'call.left', callId, personId: patient, reason: left }, by },
    ]);
    expect(outcome.effects).toEqual([]);
    expect(shown(outcome.state)).toMatchObject({ state: 'left', phone: false });
  },
);

test('[PHN8] a telephone that is busy leaves the devices ringing, and one that is declined stops them', () => {
  const busy = must(rung(), leaves('busy'));
  expect(busy.facts).toEqual([]);
  expect(shown(busy.state)).toMatchObject({ state: 'invited', phone: false });
  const declined = must(rung(), leaves('declined'));
  expect(kinds(declined)).toEqual(['call.ended']);
  expect(declined.facts[0]).toMatchObject({ fact: { reason: 'declined' }, by: patient });
});

test('[PHN9] who hangs the telephone up leaves the call, and a call of two ends with it', () => {
  const outcome = must(onPhone(), leaves('hung_up'), 61_000);
  expect(outcome.facts).toEqual([
    { fact: { kind: 'call.ended', callId, reason: 'completed', durationMs: 60_000 }, by: patient },
  ]);
  expect(phoneEffects(outcome.effects)).toEqual([]);
});

test('[PHN10] the end of the call hangs every telephone up, whoever ends it and however', () => {
  const hangUp = { type: 'phone.hangUp', ...of(), why: 'call_ended' };
  const endings: ConsultationEvent[] = [
    { type: 'call.hangUp', by: doctor, deviceId: desk, callId },
    { type: 'end', by: doctor },
    { type: 'host.end', reason: 'completed' },
  ];
  for (const state of [rung(), onPhone()])
    for (const ending of endings)
      expect(phoneEffects(must(state, ending).effects), ending.type).toEqual([hangUp]);
});

test('[PHN11] a telephone that nobody answers stops with its ring, beside a device too', () => {
  const unanswered = must(rung(), { type: 'tick' }, 1_000 + timings.ringMs);
  expect(unanswered.facts).toMatchObject([{ fact: { kind: 'call.ended', reason: 'no_answer' } }]);
  const own = after(live(), rings(patient, patient, phone));
  const until = 1_000 + timings.ringMs;
  expect(dueAt(own, timings)).toBe(until);
  expect(must(own, { type: 'tick' }, until - 1).effects).toEqual([]);
  const outcome = must(own, { type: 'tick' }, until);
  expect(outcome.facts).toEqual([]);
  expect(outcome.effects).toEqual([{ type: 'phone.hangUp', ...of(), why: 'no_answer' }]);
  expect(shown(outcome.state)).toMatchObject({ state: 'present', deviceId: phone });
});

test('[PHN12] the doctor mutes a telephone on the server; a key of the telephone gives the microphone back', () => {
  const mute = { type: 'seat.mute', by: doctor, deviceId: desk, callId, personId: patient } as const;
  const muted = must(onPhone(), mute);
  expect(phoneEffects(muted.effects)).toEqual([{ type: 'phone.setMuted', ...of(), muted: true }]);
  expect(shown(muted.state)).toMatchObject({ microphoneOn: false, mutedBy: doctor });
  const spoken = must(muted.state, { type: 'phone.microphone', ...of(), on: true });
  expect(spoken.effects).toEqual([{ type: 'phone.setMuted', ...of(), muted: false }]);
  expect(shown(spoken.state)).toMatchObject({ microphoneOn: true, mutedBy: null });
});

test('[PHN13] who is on the telephone is asked to be recorded, and nothing is recorded before a yes', () => {
  const asked = must(onPhone(), record());
  expect(asked.effects).toEqual([{ type: 'phone.askConsent', ...of(), recordingId }]);
  expect(asked.state.call?.recording?.phase.name).toBe('asking');
  const granted = must(asked.state, answersConsent(true));
  expect(granted.facts).toMatchObject([
    { fact: { kind: 'recording.agreed' }, by: patient },
    { fact: { kind: 'recording.started' }, by: doctor },
  ]);
  const refused = must(asked.state, answersConsent(false));
  expect(refused.facts).toMatchObject([
    { fact: { kind: 'recording.stopped', reason: 'consent_refused' }, by: patient },
  ]);
});

test('[PHN14] who comes into a recorded call by telephone is asked; who agreed on a device before is not', () => {
  const recorded = after(liveThree(), record(), agree(patient), agree(relative));
  const gone = after(recorded, { type: 'call.leave', by: patient, deviceId: phone, callId });
  const back = must(after(gone, rings()), answers());
  expect(phoneEffects(back.effects)).toEqual([]);
  const fresh = after(live(), addRelative, record(), agree(patient), rings(relative));
  const came = must(fresh, answers(relative));
  expect(phoneEffects(came.effects)).toEqual([{ type: 'phone.askConsent', ...of(relative), recordingId }]);
});

test('[PHN15] after a restart of the server telephones are lost, and devices have their grace', () => {
  const two = must(onPhone(), { type: 'restarted' });
  expect(two.facts).toMatchObject([{ fact: { kind: 'call.ended', reason: 'lost' } }]);
  const three = after(
    liveThree(),
    { type: 'call.leave', by: patient, deviceId: phone, callId },
    rings(),
    answers(),
  );
  const outcome = must(three, { type: 'restarted' });
  expect(outcome.facts).toMatchObject([{ fact: { kind: 'call.left', personId: patient, reason: 'lost' } }]);
  expect(shown(outcome.state, doctor)).toMatchObject({ state: 'reconnecting' });
  const beside = must(after(live(), rings(patient, patient, phone)), { type: 'restarted' });
  expect(seatOf(beside.state)).toMatchObject({ state: 'reconnecting', phone: null });
});

test('[PHN16] no device, lost or returned, touches a seat that a telephone holds', () => {
  for (const type of ['device.lost', 'device.returned'] as const)
    for (const deviceId of [phone, tablet])
      expect(must(onPhone(), { type, personId: patient, deviceId }).effects).toEqual([]);
  expect(
    at(onPhone(), {
      type: 'seat.setSource',
      by: patient,
      deviceId: phone,
      callId,
      source: 'camera',
      on: true,
    }),
  ).toMatchObject({ code: 'WRONG_STATE' });
});

test('[PHN57] any device of the person hangs their telephone up and switches its microphone; nobody else’s does', () => {
  const place = { by: patient, deviceId: tablet, callId } as const;
  const off = must(onPhone(), { type: 'seat.setSource', ...place, source: 'microphone', on: false });
  expect(off.effects).toEqual([{ type: 'phone.setMuted', ...of(), muted: true }]);
  for (const type of ['call.leave', 'call.hangUp'] as const) {
    const outcome = must(onPhone(), { type, ...place });
    expect(kinds(outcome)).toEqual(['call.ended']);
    expect(phoneEffects(outcome.effects)).toMatchObject([{ type: 'phone.hangUp' }]);
    expect(at(onPhone(), { type, by: doctor, deviceId: tablet, callId })).toMatchObject({
      code: 'WRONG_STATE',
    });
  }
});

test('[PHN17] who does not want to be phoned any more is hung up at once; the devices ring on', () => {
  const refuses = { type: 'phone.refused', personId: patient, refused: true, person: patient } as const;
  const beside = must(rung(), refuses);
  expect(kinds(beside)).toEqual(['phone.refused']);
  expect(phoneEffects(beside.effects)).toMatchObject([{ type: 'phone.hangUp' }]);
  expect(shown(beside.state)).toMatchObject({ state: 'invited', phone: false });
  const talking = must(onPhone(), refuses);
  expect(kinds(talking)).toEqual(['phone.refused', 'call.ended']);
  expect(phoneEffects(talking.effects)).toMatchObject([{ type: 'phone.hangUp', why: 'call_ended' }]);
});

test('[PHN18] a person in another call is busy for the telephone, too', () => {
  const three = after(liveThree(), { type: 'call.leave', by: patient, deviceId: phone, callId });
  expect(at(three, { ...rings(), engaged: 'busy' })).toMatchObject({ code: 'BUSY' });
  expect(shown(must(three, { ...rings(), engaged: 'knock' }).state)).toMatchObject({ callWaiting: true });
});

test('[PHN19] an event of a telephone that was rung before changes nothing of the one that rings now', () => {
  const again = after(
    after(liveThree(), { type: 'call.leave', by: patient, deviceId: phone, callId }, rings(), leaves('busy')),
    rings(patient, doctor, desk, otherPhoneCallId),
  );
  expect(must(again, leaves('lost')).state).toEqual(again);
  expect(at(again, answers())).toMatchObject({ code: 'NOT_FOUND' });
  expect(shown(must(again, answers(patient, otherPhoneCallId)).state)).toMatchObject({ phone: true });
});

test('[PHN20] the caller leaves the device for a telephone while the call still rings, and it rings on', () => {
  const started = after(active(), start());
  const outcome = must(started, rings(doctor, doctor, desk));
  expect(outcome.effects).toMatchObject([{ type: 'phone.ring', personId: doctor }]);
  const moved = must(outcome.state, answers(doctor));
  expect(moved.state.call?.phase.name).toBe('ringing');
  expect(shown(moved.state, doctor)).toMatchObject({ state: 'present', phone: true });
});
