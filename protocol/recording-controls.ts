import { z } from 'zod';
import { CallId, ConsultationId, RecordingId } from './ids.ts';
import { CallView } from './model.ts';

const call = { consultationId: ConsultationId, callId: CallId };
const recordingOfCall = { ...call, recordingId: RecordingId };
const CallResult = z.strictObject({ call: CallView });

/** Requests that control the recording of a running call; each answers the call. */
export const recordingControlRequests = {
  'recording.start': {
    summary:
      'The doctor asks to record a live call. Everybody in it is asked; it begins when all have agreed. While a recording is asked for or runs, the answer is that one.',
    payload: z.strictObject(call),
    result: CallResult,
  },
  'recording.answer': {
    summary:
      'This person agrees to be recorded, or does not (any more). No stops the recording for all, within a second.',
    payload: z.strictObject({ ...recordingOfCall, granted: z.boolean() }),
    result: CallResult,
  },
  'recording.pause': {
    summary: 'The doctor pauses the recording; nothing is recorded until it is resumed.',
    payload: z.strictObject(recordingOfCall),
    result: CallResult,
  },
  'recording.resume': {
    summary: 'The doctor lets a paused recording go on.',
    payload: z.strictObject(recordingOfCall),
    result: CallResult,
  },
  'recording.stop': {
    summary: 'The doctor ends the recording; the call goes on.',
    payload: z.strictObject(recordingOfCall),
    result: CallResult,
  },
};
