import type { ConsultationEvent } from '@teleconsult/server/consultation/commands';
import type { ConsultationState } from '@teleconsult/server/consultation/state';
import { dueAt } from '@teleconsult/server/consultation/tick';
import { viewCall } from '@teleconsult/server/consultation/view';
import { describe, expect, test } from 'vitest';
import {
  active,
  after,
  answer,
  at,
  callId,
  connecting,
  desk,
  doctor,
  join,
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

const states = { none: active, ringing, connecting, live } as const;
type Row = Record<keyof typeof states, string>;

const by = {
  patient: { by: patient, deviceId: phone, callId },
  doctor: { by: doctor, deviceId: desk, callId },
};

/** The call table of docs/SPEC.md: event × state → next state, ending or refusal. */
const table: Record<string, { event: ConsultationEvent; row: Row }> = {
  'caller starts': {
    event: start('video', doctor, desk, otherCallId),
    row: { none: 'ringing', ringing: 'ringing', connecting: 'connecting', live: 'live' },
  },
  'callee starts (glare)': {
    event: start('video', patient, phone, otherCallId),
    row: { none: 'ringing', ringing: 'connecting', connecting: 'connecting', live: 'live' },
  },
  'caller’s other device starts': {
    event: start('video', doctor, tablet, otherCallId),
    row: { none: 'ringing', ringing: 'WRONG_STATE', connecting: 'WRONG_STATE', live: 'WRONG_STATE' },
  },
  'callee accepts': {
    event: answer(),
    row: { none: 'NOT_FOUND', ringing: 'connecting', connecting: 'connecting', live: 'live' },
  },
  'callee accepts on another device': {
    event: answer(tablet),
    row: { none: 'NOT_FOUND', ringing: 'connecting', connecting: 'WRONG_STATE', live: 'WRONG_STATE' },
  },
  'callee declines': {
    event: { type: 'call.decline', by: patient, callId },
    row: { none: 'NOT_FOUND', ringing: 'ended declined', connecting: 'WRONG_STATE', live: 'WRONG_STATE' },
  },
  'caller declines': {
    event: { type: 'call.decline', by: doctor, callId },
    row: { none: 'NOT_FOUND', ringing: 'WRONG_STATE', connecting: 'WRONG_STATE', live: 'WRONG_STATE' },
  },
  'caller hangs up': {
    event: { type: 'call.hangUp', ...by.doctor },
    row: {
      none: 'NOT_FOUND',
      ringing: 'ended cancelled',
      connecting: 'ended completed',
      live: 'ended completed',
    },
  },
  'callee hangs up': {
    event: { type: 'call.hangUp', ...by.patient },
    row: {
      none: 'NOT_FOUND',
      ringing: 'ended declined',
      connecting: 'ended completed',
      live: 'ended completed',
    },
  },
  'a device that is not in the call hangs up': {
    event: { type: 'call.hangUp', by: doctor, deviceId: tablet, callId },
    row: { none: 'NOT_FOUND', ringing: 'WRONG_STATE', connecting: 'WRONG_STATE', live: 'WRONG_STATE' },
  },
  'caller switches to voice': {
    event: { type: 'call.setMedia', ...by.doctor, media: 'voice' },
    row: { none: 'NOT_FOUND', ringing: 'ringing', connecting: 'connecting', live: 'live' },
  },
  'caller joins the seat': {
    event: join(doctor, desk),
    row: { none: 'NOT_FOUND', ringing: 'ringing', connecting: 'connecting', live: 'live' },
  },
  'callee joins the seat': {
    event: join(patient, phone),
    row: { none: 'NOT_FOUND', ringing: 'WRONG_STATE', connecting: 'connecting', live: 'live' },
  },
  'ring time passes': {
    event: { type: 'tick' },
    row: { none: 'none', ringing: 'ended no_answer', connecting: 'ended failed', live: 'live' },
  },
};

function outcomeOf(state: ConsultationState, event: ConsultationEvent): string {
  const now = event.type === 'tick' ? 1_000 + timings.ringMs + timings.connectMs : 1_000;
  const outcome = at(state, event, now);
  if (outcome.kind === 'refused') return outcome.code;
  const ended = outcome.effects.find((effect) => effect.type === 'callEnded');
  if (ended !== undefined) return `ended ${ended.reason}`;
  return outcome.state.call?.phase.name ?? 'none';
}

describe('[CALL1] every event in every state of a call does what the table of the specification says', () => {
  for (const [name, { event, row }] of Object.entries(table))
    for (const [state, expected] of Object.entries(row) as [keyof typeof states, string][])
      test(`${name} when ${state} → ${expected}`, () => {
        expect(outcomeOf(states[state](), event)).toBe(expected);
      });
});

test('[CALL2] a call rings on every device until one answers; declining elsewhere cannot end an answered call', () => {
  const state = connecting();
  expect(at(state, { type: 'call.decline', by: patient, callId })).toMatchObject({ code: 'WRONG_STATE' });
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
