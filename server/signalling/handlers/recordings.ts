import { askedBy, type HandlersOf, type Services } from './handler.ts';

/** Recording a call, and what was recorded. */
export const recordingHandlers = ({ host, recordings }: Services): HandlersOf<'recording'> => ({
  'recording.start': async ({ consultationId, callId }, { personId: by, deviceId }) => ({
    call: await host.calls.startRecording(consultationId, { by, deviceId, callId }),
  }),
  'recording.answer': async (
    { consultationId, callId, recordingId, granted },
    { personId: by, deviceId },
  ) => ({
    call: await host.calls.command(consultationId, {
      type: 'recording.answer',
      by,
      deviceId,
      callId,
      recordingId,
      granted,
    }),
  }),
  'recording.pause': async ({ consultationId, ...recording }, { personId: by, deviceId }) => ({
    call: await host.calls.command(consultationId, { type: 'recording.pause', by, deviceId, ...recording }),
  }),
  'recording.resume': async ({ consultationId, ...recording }, { personId: by, deviceId }) => ({
    call: await host.calls.command(consultationId, { type: 'recording.resume', by, deviceId, ...recording }),
  }),
  'recording.stop': async ({ consultationId, ...recording }, { personId: by, deviceId }) => ({
    call: await host.calls.command(consultationId, { type: 'recording.stop', by, deviceId, ...recording }),
  }),
  'recording.list': async (payload, session) => recordings.list(payload, askedBy(session)),
  'recording.link': async (payload, session) => recordings.link(payload, askedBy(session)),
  'recording.waveform': async (payload, session) => recordings.waveform(payload, askedBy(session)),
  'recording.compose': async (payload, session) => recordings.compose(payload, askedBy(session)),
  'recording.delete': async (payload, session) => recordings.delete(payload, askedBy(session)),
});
