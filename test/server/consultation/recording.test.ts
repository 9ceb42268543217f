import { type PersonId, RecordingStopReason } from '@teleconsult/protocol';
import { recordedPeople } from '@teleconsult/server/consultation/recording';
import type { ConsultationState } from '@teleconsult/server/consultation/state';
import { dueAt } from '@teleconsult/server/consultation/tick';
import { viewCall } from '@teleconsult/server/consultation/view';
import { expect, test } from 'vitest';
import {
  active,
  addRelative,
  after,
  agree,
  alone,
  answer,
  at,
  callId,
  colleague,
  connecting,
  desk,
  doctor,
  join,
  kinds,
  laptop,
  live,
  liveThree,
  must,
  otherRecordingId,
  patient,
  pauseRecording,
  phone,
  record,
  recordingId,
  refuseRecording,
  relative,
  requestedThread,
  resumeRecording,
  ringing,
  rungThird,
  start,
  stopRecording,
  tablet,
  takeOver,
  thirdJoins,
  timings,
  tv,
} from './domain-fixtures.ts';

const recorded = ({ call }: ConsultationState): readonly PersonId[] => (call ? recordedPeople(call) : []);
const recordingOf = (state: ConsultationState) => state.call && viewCall(state, state.call).recording;
const running = () => after(live(), record(), agree(patient));
const answersUntil = 1_000 + timings.recordingAnswerMs;

test('[RECC2] everybody in the call is asked, also who still connects, and who asks has agreed by asking', () => {
  const accepted = after(rungThird(), { type: 'call.accept', by: relative, deviceId: tv, callId });
  const outcome = must(accepted, record());
  expect(outcome.facts).toEqual([{ fact: { kind: 'recording.asked', callId, recordingId }, by: doctor }]);
  expect(recordingOf(outcome.state)).toEqual({
    recordingId,
    startedBy: doctor,
    phase: 'asking',
    since: 1_000,
    answerUntil: answersUntil,
    consents: [
      { personId: patient, state: 'asked', since: 1_000 },
      { personId: doctor, state: 'granted', since: 1_000 },
      { personId: relative, state: 'asked', since: 1_000 },
    ],
    recorded: [],
  });
  expect(outcome.state.callRevision).toBeGreaterThan(accepted.callRevision);
});

test('[RECC2] whoever is only rung is not in the call, and is not waited for', () => {
  expect(recorded(after(rungThird(), record(), agree(patient)))).toEqual([patient, doctor]);
});

test('[RECC3] nobody is recorded before the last who is present has agreed, and all are from that very step on', () => {
  const asked = after(liveThree(), record(), agree(patient));
  expect(recorded(asked)).toEqual([]);
  const outcome = must(asked, agree(relative), 2_000);
  expect(outcome.facts).toEqual([
    { fact: { kind: 'recording.agreed', recordingId }, by: relative },
    { fact: { kind: 'recording.started', recordingId }, by: doctor },
  ]);
  expect(recorded(outcome.state)).toEqual([patient, doctor, relative]);
  expect(recordingOf(outcome.state)).toMatchObject({ phase: 'running', since: 2_000, answerUntil: null });
});

test('[RECC4] it begins when the last who has not answered leaves, but not while nobody is left to talk with', () => {
  const leaves = { type: 'call.leave', by: relative, deviceId: tv, callId } as const;
  const three = must(after(liveThree(), record(), agree(patient)), leaves);
  expect(kinds(three)).toEqual(['call.left', 'recording.started']);
  const lost = after(live(), record(), { type: 'device.lost', personId: patient, deviceId: phone });
  // The patient is lost before they answered: the doctor alone is not recorded, and whoever is back is still asked.
  const left = at(
    { ...lost, call: lost.call && { ...lost.call, recording: stretched(lost) } },
    { type: 'tick' },
    1_000 + timings.seatGraceMs,
  );
  if (left.kind === 'refused') throw new Error('time is not refused');
  expect(kinds(left)).toEqual(['call.left']);
  expect(recordingOf(left.state)).toMatchObject({ phase: 'asking', recorded: [] });
});

/** The recording of a call, with ten minutes to answer. */
function stretched({ call }: ConsultationState) {
  const recording = call?.recording;
  if (!recording) throw new Error('nothing is recorded');
  const phase = { name: 'asking', since: 1_000, answerUntil: 1_000 + 600_000 } as const;
  return { ...recording, phase };
}

test('[RECC5] only a live call with somebody to talk with is recorded, and asked for and agreed to by those in it', () => {
  expect(at(ringing(), record())).toMatchObject({ code: 'WRONG_STATE' });
  expect(at(connecting(), record())).toMatchObject({ code: 'WRONG_STATE' });
  expect(at(alone(), record())).toMatchObject({ code: 'WRONG_STATE' });
  // The doctor is rung, and not in it.
  const others = after(
    active(),
    addRelative,
    { ...start('voice', patient, phone), people: [relative, doctor] },
    { type: 'call.accept', by: relative, deviceId: tv, callId },
    join(patient, phone),
    join(relative, tv),
  );
  expect(others.call?.phase.name).toBe('live');
  expect(at(others, record())).toMatchObject({ code: 'WRONG_STATE' });
  // Who left neither agrees nor refuses, for others go on.
  const left = after(liveThree(), record(), { type: 'call.leave', by: relative, deviceId: tv, callId });
  expect(at(left, agree(relative))).toMatchObject({ code: 'WRONG_STATE' });
  expect(at(left, refuseRecording(relative))).toMatchObject({ code: 'WRONG_STATE' });
});

test('[RECC6] who comes late is asked, is recorded once they agree, and may take their time', () => {
  const before = after(rungThird(), record(), agree(patient));
  const late = thirdJoins(before);
  expect(recordingOf(late)?.consents).toContainEqual({ personId: relative, state: 'asked', since: 1_000 });
  expect(recorded(late)).toEqual([patient, doctor]);
  const later = must(late, { type: 'tick' }, answersUntil + 3_600_000);
  expect(later.facts).toEqual([]);
  expect(recorded(after(later.state, agree(relative)))).toEqual([patient, doctor, relative]);
});

test('[RECC7] consent stays with the person: over a mute, another device, a loss, the way back and a new invitation', () => {
  const steps: ((state: ConsultationState) => ConsultationState)[] = [
    (state) =>
      after(state, {
        type: 'seat.setSource',
        by: patient,
        deviceId: phone,
        callId,
        source: 'camera',
        on: false,
      }),
    (state) => after(state, takeOver(patient, tablet)),
    (state) => after(state, { type: 'device.lost', personId: patient, deviceId: tablet }),
    (state) => after(state, { type: 'device.returned', personId: patient, deviceId: tablet }),
  ];
  let state = running();
  for (const next of steps) {
    state = next(state);
    expect(recorded(state)).toEqual([patient, doctor]);
  }
  const lost = after(state, { type: 'device.lost', personId: patient, deviceId: tablet });
  const gone = must(lost, { type: 'tick' }, 1_000 + timings.seatGraceMs).state;
  expect(recorded(gone)).toEqual([]);
  const back = after(gone, takeOver(patient, phone));
  expect(recorded(back)).toEqual([patient, doctor]);
});

test('[RECC8] while fewer than two are in the call nobody is recorded, and the recording goes on when there are', () => {
  const { state } = must(
    after(running(), { type: 'device.lost', personId: patient, deviceId: phone }),
    { type: 'tick' },
    1_000 + timings.seatGraceMs,
  );
  expect(recordingOf(state)).toMatchObject({ phase: 'running', recorded: [] });
  expect(recorded(after(state, takeOver(patient, phone)))).toEqual([patient, doctor]);
});

test('[RECC9] every way a recording stops is told with its reason and who stopped it', () => {
  const reasons = new Map<string, [ConsultationState, Parameters<typeof must>[1], PersonId | null, number?]>([
    ['consent_refused', [after(live(), record()), refuseRecording(patient), patient]],
    ['consent_withdrawn', [running(), refuseRecording(patient), patient]],
    ['stopped', [running(), stopRecording(), doctor]],
    ['not_answered', [after(live(), record()), { type: 'tick' }, null, answersUntil]],
    ['call_ended', [running(), { type: 'call.hangUp', by: patient, deviceId: phone, callId }, patient]],
  ]);
  expect([...reasons.keys()].toSorted()).toEqual([...RecordingStopReason.options].toSorted());
  for (const [reason, [state, event, by, now]] of reasons) {
    const outcome = must(state, event, now);
    expect(outcome.facts[0]).toEqual({ fact: { kind: 'recording.stopped', recordingId, reason }, by });
    expect(outcome.state.call?.recording ?? null).toBeNull();
  }
  // Taken back while others are still asked is a refusal; so is a no of somebody who came late.
  const late = thirdJoins(after(rungThird(), record(), agree(patient)));
  for (const [state, who] of [
    [after(liveThree(), record(), agree(patient)), patient],
    [late, relative],
  ] as const)
    expect(must(state, refuseRecording(who)).facts[0]?.fact).toMatchObject({ reason: 'consent_refused' });
});

test('[RECC10] two doctors, or two devices, that press record at once get one recording', () => {
  const thread = after(
    requestedThread(),
    { type: 'accept', by: colleague },
    { type: 'call.start', by: doctor, deviceId: desk, callId, media: 'voice' },
    { type: 'call.accept', by: colleague, deviceId: tablet, callId },
    join(doctor, desk),
    join(colleague, tablet),
  );
  const first = after(thread, record());
  const second = must(first, { ...record(colleague, otherRecordingId), deviceId: tablet });
  expect(second.facts).toEqual([]);
  expect(second.state.call?.recording?.recordingId).toBe(recordingId);
  // Pressing record is no consent to the recording of another.
  expect(recorded(second.state)).toEqual([]);
  const twice = must(after(live(), record()), { ...record(doctor, otherRecordingId), deviceId: laptop });
  expect(twice.state.call?.recording?.recordingId).toBe(recordingId);
});

test('[RECC11] whatever ends the call stops its recording first', () => {
  const bothLost = after(
    running(),
    { type: 'device.lost', personId: patient, deviceId: phone },
    { type: 'device.lost', personId: doctor, deviceId: desk },
  );
  const endings = [
    must(running(), { type: 'call.hangUp', by: doctor, deviceId: desk, callId }),
    must(running(), { type: 'call.leave', by: patient, deviceId: phone, callId }),
    must(running(), { type: 'end', by: doctor }),
    must(running(), { type: 'host.end', reason: 'completed' }),
    must(bothLost, { type: 'tick' }, 1_000 + timings.seatGraceMs),
  ];
  for (const outcome of endings) {
    expect(kinds(outcome).slice(0, 2)).toEqual(['recording.stopped', 'call.ended']);
    expect(outcome.state.call).toBeNull();
    expect(outcome.effects.at(-1)).toMatchObject({ type: 'callEnded', call: { recording: null } });
  }
});

test('[RECC12] the doctor of the visit alone asks, pauses, resumes and stops; a colleague who was drawn in does not', () => {
  const drawnIn = after(running(), {
    type: 'participant.add',
    participant: { personId: colleague, role: 'colleague', displayName: 'C' },
  });
  for (const by of [patient, colleague])
    for (const command of [record(by), pauseRecording(by), resumeRecording(by), stopRecording(by)])
      expect(at(drawnIn, command), command.type).toMatchObject({ code: 'FORBIDDEN' });
  expect(at(drawnIn, record('stranger' as PersonId))).toMatchObject({ code: 'NOT_FOUND' });
});

test('[RECC13] a doctor who is not in the call any more can pause and stop its recording, and not resume it', () => {
  const left = after(liveThree(), record(), agree(patient), agree(relative), {
    type: 'call.leave',
    by: doctor,
    deviceId: desk,
    callId,
  });
  expect(recorded(left)).toEqual([patient, relative]);
  const paused = after(left, pauseRecording());
  expect(recorded(paused)).toEqual([]);
  expect(at(paused, resumeRecording())).toMatchObject({ code: 'WRONG_STATE' });
  expect(kinds(must(paused, stopRecording()))).toEqual(['recording.stopped']);
});

test('[RECC14] the server starts again: who had agreed is asked no second time, and what was asked is still asked', () => {
  const { state } = must(running(), { type: 'restarted' }, 5_000);
  expect(recordingOf(state)).toEqual({ ...recordingOf(running()), recorded: [patient, doctor] });
  const asking = must(after(live(), record()), { type: 'restarted' }, 5_000);
  expect(recordingOf(asking.state)).toMatchObject({ phase: 'asking', answerUntil: answersUntil });
});

test('[RECC15] who comes while others are still asked has to agree too before anything is recorded', () => {
  const asked = after(rungThird(), record());
  const came = thirdJoins(asked);
  const most = after(came, agree(patient));
  expect(recordingOf(most)).toMatchObject({ phase: 'asking', recorded: [] });
  expect(recorded(after(most, agree(relative)))).toEqual([patient, doctor, relative]);
});

test('[RECC16] time is looked at when the answers are due, and not for somebody who came late', () => {
  const asked = after(live(), record());
  expect(dueAt(asked, timings)).toBe(answersUntil);
  expect(must(asked, { type: 'tick' }, answersUntil - 1).facts).toEqual([]);
  expect(dueAt(running(), timings)).toBeNull();
  expect(dueAt(thirdJoins(after(rungThird(), record(), agree(patient))), timings)).toBeNull();
});

test('[RECC17] a pause records nobody, asks who comes meanwhile, and ends with what was agreed to', () => {
  const paused = after(rungThird(), record(), agree(patient), pauseRecording());
  expect(recorded(paused)).toEqual([]);
  const came = thirdJoins(paused);
  const resumed = after(came, resumeRecording());
  expect(recorded(resumed)).toEqual([patient, doctor]);
  expect(recorded(after(came, agree(relative), resumeRecording()))).toEqual([patient, doctor, relative]);
});

test('[RECC18] the next recording of a call asks everybody again, and agreeing to the former is worth nothing', () => {
  const again = after(running(), stopRecording(), record(doctor, otherRecordingId));
  expect(recordingOf(again)?.consents.filter(({ state }) => state === 'granted')).toHaveLength(1);
  expect(at(again, agree(patient))).toMatchObject({ code: 'NOT_FOUND' });
  expect(recorded(again)).toEqual([]);
});

test('[RECC18] the next call of a visit knows nothing of the recording of the last', () => {
  const over = after(running(), { type: 'call.hangUp', by: doctor, deviceId: desk, callId });
  const next = after(over, start(), answer(), join(doctor, desk), join(patient, phone));
  expect(next.call).toMatchObject({ recording: null, stoppedRecordingId: null });
});
