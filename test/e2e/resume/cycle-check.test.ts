import { expect, test } from 'vitest';
import { type CycleObserved, type SideObserved, violationsOf } from './cycle-check.ts';
import type { Drawn, Told } from './page-record.ts';

const CALL = 'call_one';
const before = {
  patient: { microphone: true, camera: false },
  doctor: { microphone: false, camera: true },
};

const seat = (personId: 'patient' | 'doctor'): Told['seats'][number] => ({
  personId,
  state: 'present',
  microphoneOn: before[personId].microphone,
  cameraOn: before[personId].camera,
  leftReason: null,
});

const told = (changes: Partial<Told> = {}): Told => ({
  at: 0,
  callId: CALL,
  state: 'live',
  endReason: null,
  seats: [seat('patient'), seat('doctor')],
  ...changes,
});

const drawn = (changes: Partial<Drawn> = {}): Drawn => ({
  at: 0,
  tiles: { patient: 1, doctor: 1 },
  tracks: 1,
  floating: 'page',
  windows: 1,
  saysEnded: false,
  audioOnly: false,
  ...changes,
});

const side = (personId: 'patient' | 'doctor', changes: Partial<SideObserved> = {}): SideObserved => ({
  personId,
  told: [told()],
  drawn: [drawn()],
  callId: CALL,
  outcome: null,
  wishes: before[personId],
  endedEntries: 0,
  receives:
    personId === 'patient' ? { microphone: false, camera: true } : { microphone: true, camera: false },
  ...changes,
});

/** A good cycle, spoilt at one side. */
const cycle = (
  doctor: Partial<SideObserved> = {},
  patient: Partial<SideObserved> = {},
  changes: Partial<CycleObserved> = {},
): CycleObserved => ({
  callId: CALL,
  before,
  sides: [side('patient', patient), side('doctor', doctor)],
  restored: 'patient',
  silenceMs: null,
  ...changes,
});

const spoiltSeat = (personId: 'patient' | 'doctor', changes: Partial<Told['seats'][number]>): Told =>
  told({
    seats: [seat('patient'), seat('doctor')].map((one) =>
      one.personId === personId ? { ...one, ...changes } : one,
    ),
  });

test('[RSM1 sabotage] a cycle that kept every promise passes the check', () => {
  expect(violationsOf(cycle())).toEqual([]);
});

test.each<[what: string, spoilt: CycleObserved]>([
  [
    'a second seat',
    cycle({ told: [told({ seats: [seat('patient'), seat('patient'), seat('doctor')] }), told()] }),
  ],
  ['a second tile', cycle({ drawn: [drawn({ tiles: { patient: 2, doctor: 1 } }), drawn()] })],
  ['a second track', cycle({ drawn: [drawn({ tracks: 2 }), drawn()] })],
  ['an ending', cycle({ told: [told({ state: 'ended', endReason: 'lost' }), told()] })],
  ['somebody who left', cycle({ told: [spoiltSeat('patient', { state: 'left' }), told()] })],
  ['an outcome', cycle({}, { outcome: 'lost' })],
  ['an ending in the thread', cycle({ endedEntries: 1 })],
  ['an ending on the screen', cycle({ drawn: [drawn({ saysEnded: true }), drawn()] })],
  [
    'a microphone that was on for a moment',
    cycle({ told: [spoiltSeat('doctor', { microphoneOn: true }), told()] }),
  ],
  ['a camera that was on for a moment', cycle({ told: [spoiltSeat('patient', { cameraOn: true }), told()] })],
  ['a microphone that stayed off', cycle({ told: [spoiltSeat('patient', { microphoneOn: false })] })],
  ['a wish that was forgotten', cycle({}, { wishes: { microphone: false, camera: false } })],
  ['a wish that was turned round', cycle({ wishes: { microphone: true, camera: true } })],
  ['another call', cycle({ told: [told({ callId: 'call_two' }), told()] })],
  ['no call', cycle({}, { callId: null })],
  ['silence', cycle({ receives: { microphone: false, camera: false } })],
  ['darkness', cycle({}, { receives: { microphone: false, camera: false } })],
  ['no floating window', cycle({}, { drawn: [drawn({ floating: null, windows: 0 })] })],
  ['two floating windows', cycle({}, { drawn: [drawn({ windows: 2 })] })],
  ['media that stopped with the signalling', cycle({}, {}, { restored: null, silenceMs: 20_000 })],
])('[RSM2] the check notices %s', (_what, spoilt) => {
  expect(violationsOf(spoilt)).toHaveLength(1);
});

test('[RSM2] a microphone that was off for a moment and is on again is no violation', () => {
  const asksAgain = spoiltSeat('patient', { microphoneOn: false });
  expect(violationsOf(cycle({ told: [asksAgain, told()] }))).toEqual([]);
});
