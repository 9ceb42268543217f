/**
 * A second opinion of the recording of a call: a list of who has agreed, looked at again after everything that happens.
 * It shares no line with the domain.
 */
import type { PersonId } from '@teleconsult/protocol';
import type { ConsultationEvent } from '@teleconsult/server/consultation/commands';
import { isHeld, type Model, type ModelCall, type ModelRecording } from './model-state.ts';

const ANSWER = 60_000;

type RecordingEvent = Extract<ConsultationEvent, { type: `recording.${string}` }>;
type Answer = { readonly code: string } | { readonly model: Model };

const refused = (code: string): Answer => ({ code });
const heldBy = ({ seats }: ModelCall): PersonId[] =>
  [...seats].filter(([, seat]) => isHeld(seat)).map(([person]) => person);
const withRecording = (model: Model, call: ModelCall, recording: ModelRecording): Answer => ({
  model: { ...model, call: { ...call, recording } },
});

/** A call whose recording is over. */
export const stopped = (model: Model): Model => {
  const { call } = model;
  return call === null || call.recording === null
    ? model
    : { ...model, call: { ...call, recording: null, stopped: call.recording.id } };
};

/** What a command about the recording leads to. Roles and phases were looked at before. */
export function recordingEvent(model: Model, event: RecordingEvent, now: number): Answer {
  const { call } = model;
  if (call === null || call.callId !== event.callId) return refused('NOT_FOUND');
  const { recording } = call;
  const present = heldBy(call);
  const isHere = present.includes(event.by);
  if (event.type === 'recording.start') {
    if (recording !== null) return { model };
    if (!isHere || call.phase !== 'live' || present.length < 2) return refused('WRONG_STATE');
    return withRecording(model, call, {
      id: event.recordingId,
      phase: 'asking',
      until: now + ANSWER,
      agreed: new Set([event.by]),
      asked: new Set(present),
    });
  }
  const isSame = recording?.id === event.recordingId;
  const endsIt = event.type === 'recording.stop' || (event.type === 'recording.answer' && !event.granted);
  if (recording === null || !isSame)
    return endsIt && call.stopped === event.recordingId ? { model } : refused('NOT_FOUND');
  switch (event.type) {
    case 'recording.stop':
      return { model: stopped(model) };
    case 'recording.answer':
      if (!isHere) return refused('WRONG_STATE');
      if (!event.granted) return { model: stopped(model) };
      return withRecording(model, call, { ...recording, agreed: new Set([...recording.agreed, event.by]) });
    case 'recording.pause':
      if (recording.phase === 'asking') return refused('WRONG_STATE');
      return withRecording(model, call, { ...recording, phase: 'paused' });
    case 'recording.resume':
      if (recording.phase === 'running') return { model };
      if (recording.phase === 'asking' || !isHere) return refused('WRONG_STATE');
      return withRecording(model, call, { ...recording, phase: 'running' });
  }
}

/** Time is up for those who were asked. */
export const answersAreDue = ({ call }: Model, now: number): boolean =>
  call?.recording?.phase === 'asking' && now >= call.recording.until;

/** Who came is asked, and what all have agreed to runs. */
export function lookedAtAgain(model: Model): Model {
  const { call } = model;
  if (call === null || call.recording === null) return model;
  const present = heldBy(call);
  const { agreed, phase } = call.recording;
  const asked = new Set([...call.recording.asked, ...present]);
  const begins = phase === 'asking' && present.length > 1 && present.every((person) => agreed.has(person));
  const recording = { ...call.recording, asked, phase: begins ? ('running' as const) : phase };
  return { ...model, call: { ...call, recording } };
}

/** Whose sound and picture may be kept. */
export function recordedIn({ call }: Model): readonly PersonId[] {
  if (call === null || call.recording?.phase !== 'running') return [];
  const { agreed } = call.recording;
  const present = heldBy(call);
  return present.length < 2 ? [] : present.filter((person) => agreed.has(person));
}
