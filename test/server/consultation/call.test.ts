import { dueAt } from '@teleconsult/server/consultation/tick';
import { viewCall } from '@teleconsult/server/consultation/view';
import { expect, test } from 'vitest';
import {
  active,
  after,
  at,
  callId,
  connecting,
  desk,
  doctor,
  kinds,
  live,
  must,
  otherCallId,
  patient,
  phone,
  ringing,
  start,
  tablet,
  timings,
} from './domain-fixtures.ts';

const by = {
  patient: { by: patient, deviceId: phone, callId },
  doctor: { by: doctor, deviceId: desk, callId },
};

test('[CALL2] a call rings on every device until one answers; declining elsewhere cannot end an answered call', () => {
  const state = connecting();
  expect(at(state, { type: 'call.decline', by: patient, deviceId: tablet, callId })).toMatchObject({
    code: 'WRONG_STATE',
  });
  expect(state.call?.seats.find(({ personId }) => personId === patient)).toMatchObject({ deviceId: phone });
});

test('[CALL3] when both call at once, one call results and the later call becomes its answer', () => {
  const outcome = must(ringing(), start('voice', patient, phone, otherCallId));
  expect(kinds(outcome)).toEqual(['call.answered']);
  expect(outcome.state.call).toMatchObject({ callId, phase: { name: 'connecting' } });
});

test('[CALL4] an unanswered ring ends with no_answer at its time and lasts no seconds', () => {
  const state = ringing();
  expect(dueAt(state, timings)).toBe(1_000 + timings.ringMs);
  const outcome = must(state, { type: 'tick' }, 1_000 + timings.ringMs);
  expect(outcome.facts[0]?.fact).toEqual({ kind: 'call.ended', callId, reason: 'no_answer', durationMs: 0 });
});

test('[CALL5] a call is live once two seats are present, and its duration counts from the answer', () => {
  const state = live();
  expect(state.call?.phase).toEqual({ name: 'live', answeredAt: 1_000 });
  const outcome = must(state, { type: 'call.hangUp', ...by.patient }, 61_000);
  expect(outcome.facts[0]).toEqual({
    by: patient,
    fact: { kind: 'call.ended', callId, reason: 'completed', durationMs: 60_000 },
  });
});

test('[CALL6] a voice call becomes video and back without a new call, with every camera off at first', () => {
  const voice = live('voice');
  expect(at(voice, { type: 'seat.setSource', ...by.patient, source: 'camera', on: true })).toMatchObject({
    code: 'WRONG_STATE',
  });
  const video = must(voice, { type: 'call.setMedia', ...by.doctor, media: 'video' });
  expect(kinds(video)).toEqual(['call.mediaChanged']);
  expect(video.state.call?.callId).toBe(callId);
  expect(video.state.call?.seats.every(({ cameraOn }) => !cameraOn)).toBe(true);
  const on = must(video.state, { type: 'seat.setSource', ...by.patient, source: 'camera', on: true }).state;
  expect(on.call?.seats.map(({ cameraOn }) => cameraOn)).toEqual([true, false]);
});

test('[CALL7] the view’s revision rises with each change, over calls, so that a late fact is known as late', () => {
  const first = live();
  const second = after(must(first, { type: 'call.hangUp', ...by.doctor }).state, start());
  expect(second.callRevision).toBeGreaterThan(first.callRevision);
  expect(second.call && viewCall(second, second.call).revision).toBe(second.callRevision);
});

test('[CALL14] a call whose people are all busy ends with busy at once, and the thread keeps it', () => {
  const outcome = must(active(), { ...start(), engaged: new Map([[patient, 'busy']]) });
  expect(outcome.facts).toEqual([
    { by: doctor, fact: { kind: 'call.started', callId, media: 'video' } },
    { by: null, fact: { kind: 'call.ended', callId, reason: 'busy', durationMs: 0 } },
  ]);
  expect(outcome.state).toMatchObject({ call: null, sequence: active().sequence + 2 });
  expect(outcome.effects).toMatchObject([{ type: 'callEnded', reason: 'busy' }]);
  const [ended] = outcome.effects;
  if (ended?.type !== 'callEnded') throw new Error('the call did not end');
  expect(viewCall(outcome.state, ended.call, 'busy')).toMatchObject({
    state: 'ended',
    endReason: 'busy',
    seats: [{ personId: patient, state: 'left', leftReason: 'busy' }, { personId: doctor }],
  });
});

test('[CALL15] a person who is knocked at rings as a second call, until they answer', () => {
  const state = must(active(), { ...start(), engaged: new Map([[patient, 'knock']]) }).state;
  expect(state.call && viewCall(state, state.call).seats[0]).toMatchObject({
    state: 'invited',
    callWaiting: true,
    ringUntil: 1_000 + timings.ringMs,
  });
  const answered = must(state, { type: 'call.accept', ...by.patient }).state;
  expect(answered.call && viewCall(answered, answered.call).seats[0]).toMatchObject({
    state: 'connecting',
    callWaiting: false,
    ringUntil: null,
  });
});

test('[SEAT14] a seat names the device that answered or declined, also when the call ends with it', () => {
  const answered = connecting();
  expect(answered.call && viewCall(answered, answered.call).seats[0]).toMatchObject({ deviceId: phone });
  const { state, effects } = must(ringing(), { type: 'call.decline', ...by.patient });
  const [ended] = effects;
  if (ended?.type !== 'callEnded') throw new Error('the call did not end');
  expect(viewCall(state, ended.call, ended.reason)).toMatchObject({
    endReason: 'declined',
    seats: [{ personId: patient, state: 'left', leftReason: 'declined', deviceId: phone }, {}],
  });
});
