/**
 * The recording of a call: who asked for it, who agreed, and whose sound and picture may be recorded at a moment. Consent
 * is an entry of the thread before anything is recorded, and whoever takes it back ends the recording for all.
 */
import type { PersonId, RecordingStopReason } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { ParticipantCommand } from './commands.ts';
import { type Attributed, type Next, next, type Outcome, refuse, withCall } from './outcome.ts';
import { isHeld, runningCall, seatOf } from './seats.ts';
import type { CallRecord, Consent, ConsultationState, RecordingRecord, Timings } from './state.ts';

type Command<T extends ParticipantCommand['type']> = Extract<ParticipantCommand, { type: T }>;

interface Context {
  readonly now: number;
  readonly timings: Timings;
}

/** Fewest people between whom there is something to record. */
const FEWEST = 2;

const noCall = () => refuse('NOT_FOUND', 'there is no such running call');
const noRecording = () => refuse('NOT_FOUND', 'there is no such recording of the call');
const notInCall = () => refuse('WRONG_STATE', 'you are not in the call');

/** Whose sound and picture are recorded now: those in the call who agreed, while there is somebody to talk with. */
export function recordedPeople({ recording, seats }: CallRecord): readonly PersonId[] {
  if (recording?.phase.name !== 'running') return [];
  const present = seats.filter(isHeld).map(({ personId }) => personId);
  return present.length < FEWEST ? [] : present.filter((personId) => hasGranted(recording, personId));
}

/** Asks everybody in the call. Who asks has agreed by asking; of two who ask at once the second finds it asked. */
export function startRecording(
  state: ConsultationState,
  { by, callId, recordingId }: Command<'recording.start'>,
  { now, timings }: Context,
): Outcome {
  const call = runningCall(state, callId);
  if (call === null) return noCall();
  if (call.recording !== null) return next(state);
  if (!isInCall(call, by)) return notInCall();
  const present = call.seats.filter(isHeld);
  if (call.phase.name !== 'live' || present.length < FEWEST)
    return refuse('WRONG_STATE', 'there is nobody to talk with yet');
  const recording: RecordingRecord = {
    recordingId,
    startedBy: by,
    phase: { name: 'asking', since: now, answerUntil: now + timings.recordingAnswerMs },
    consents: present.map(
      ({ personId }): Consent => ({ personId, state: personId === by ? 'granted' : 'asked', since: now }),
    ),
  };
  return next(withCall(state, { ...call, recording }), [
    { fact: { kind: 'recording.asked', callId, recordingId }, by },
  ]);
}

/** Somebody in the call agrees to be recorded, or does not (any more). */
export function answerRecording(
  state: ConsultationState,
  { by, callId, recordingId, granted }: Omit<Command<'recording.answer'>, 'type' | 'deviceId'>,
  now: number,
): Outcome {
  const call = runningCall(state, callId);
  if (call === null) return noCall();
  const { recording } = call;
  if (recording?.recordingId !== recordingId) {
    // A no to what stopped meanwhile is obeyed already.
    return !granted && call.stoppedRecordingId === recordingId ? next(state) : noRecording();
  }
  if (!isInCall(call, by)) return notInCall();
  if (!granted) {
    const isWithdrawn = recording.phase.name !== 'asking' && hasGranted(recording, by);
    return stop(state, call, { by, reason: isWithdrawn ? 'consent_withdrawn' : 'consent_refused' });
  }
  if (hasGranted(recording, by)) return next(state);
  const others = recording.consents.filter(({ personId }) => personId !== by);
  const consents: Consent[] = [...others, { personId: by, state: 'granted', since: now }];
  return next(withCall(state, { ...call, recording: { ...recording, consents } }), [
    { fact: { kind: 'recording.agreed', recordingId }, by },
  ]);
}

/** Pausing and stopping need no seat: nobody has to come back into a call to end its recording. */
export function controlRecording(
  state: ConsultationState,
  { type, by, callId, recordingId }: Command<'recording.pause' | 'recording.resume' | 'recording.stop'>,
  now: number,
): Outcome {
  const call = runningCall(state, callId);
  if (call === null) return noCall();
  const { recording } = call;
  if (recording?.recordingId !== recordingId)
    return type === 'recording.stop' && call.stoppedRecordingId === recordingId ? next(state) : noRecording();
  switch (type) {
    case 'recording.stop':
      return stop(state, call, { by, reason: 'stopped' });
    case 'recording.pause':
    case 'recording.resume': {
      const name = type === 'recording.pause' ? 'paused' : 'running';
      if (recording.phase.name === name) return next(state);
      if (recording.phase.name === 'asking') return refuse('WRONG_STATE', 'the recording has not begun');
      if (name === 'running' && !isInCall(call, by)) return notInCall();
      const kind = name === 'paused' ? 'recording.paused' : 'recording.resumed';
      return next(withCall(state, { ...call, recording: { ...recording, phase: { name, since: now } } }), [
        { fact: { kind, recordingId }, by },
      ]);
    }
    default:
      return unreachable(type);
  }
}

/** A call without its recording, and what the thread says of that. For one that is not recorded there is nothing to say. */
export function withoutRecording(
  call: CallRecord,
  { by, reason }: { by: PersonId | null; reason: RecordingStopReason },
): { readonly call: CallRecord; readonly facts: readonly Attributed[] } {
  if (call.recording === null) return { call, facts: [] };
  const { recordingId } = call.recording;
  return {
    call: { ...call, recording: null, stoppedRecordingId: recordingId },
    facts: [{ fact: { kind: 'recording.stopped', recordingId, reason }, by }],
  };
}

/**
 * Makes the recording follow who is in the call: whoever came is asked, and what everybody present has agreed to begins.
 * Called after every step, so that no way into or out of a call can be forgotten.
 */
export function followSeats(state: ConsultationState, now: number): Next {
  const { call } = state;
  if (call === null || call.recording === null) return next(state);
  const { recording } = call;
  const present = call.seats.filter(isHeld).map(({ personId }) => personId);
  const came = present.filter((person) => !recording.consents.some(({ personId }) => personId === person));
  const consents: readonly Consent[] = [
    ...recording.consents,
    ...came.map((personId): Consent => ({ personId, state: 'asked', since: now })),
  ];
  const asked: RecordingRecord = { ...recording, consents };
  const begins =
    recording.phase.name === 'asking' &&
    present.length >= FEWEST &&
    present.every((personId) => hasGranted(asked, personId));
  if (!begins && came.length === 0) return next(state);
  if (!begins) return next(withCall(state, { ...call, recording: asked }));
  const { recordingId, startedBy } = recording;
  return next(withCall(state, { ...call, recording: { ...asked, phase: { name: 'running', since: now } } }), [
    { fact: { kind: 'recording.started', recordingId }, by: startedBy },
  ]);
}

/** Until when those who were asked may answer; null when nobody is waited for. */
export const answerUntil = ({ recording }: CallRecord): number | null =>
  recording?.phase.name === 'asking' ? recording.phase.answerUntil : null;

/** What was not agreed to in time does not begin. */
export function tickRecording(state: ConsultationState, now: number): Next {
  const { call } = state;
  const until = call && answerUntil(call);
  if (call === null || until === null || now < until) return next(state);
  return stop(state, call, { by: null, reason: 'not_answered' });
}

function stop(
  state: ConsultationState,
  call: CallRecord,
  how: { by: PersonId | null; reason: RecordingStopReason },
): Next {
  const stopped = withoutRecording(call, how);
  return next(withCall(state, stopped.call), stopped.facts);
}

const hasGranted = ({ consents }: RecordingRecord, person: PersonId): boolean =>
  consents.some(({ personId, state }) => personId === person && state === 'granted');

function isInCall(call: CallRecord, person: PersonId): boolean {
  const seat = seatOf(call, person);
  return seat !== undefined && isHeld(seat);
}
