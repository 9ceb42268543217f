import type { CallId, CallRecording } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type { Call, CallOptions } from '../api.ts';
import { askOnce, askUntilAnswered, type RecordParts } from './record-parts.ts';
import type { CallRecordingControl } from './records-api.ts';

type Control = 'recording.pause' | 'recording.resume' | 'recording.stop';

/**
 * The recording of a running call. What records less (no, pause, stop) is asked until the server has heard it; what
 * records more is asked once, so that it never begins at another time than it was asked for.
 */
export class CallRecordings implements CallRecordingControl {
  readonly #parts: RecordParts;

  constructor(parts: RecordParts) {
    this.#parts = parts;
  }

  async start(call: Call, options?: CallOptions): Promise<CallRecording | null> {
    const { signalling } = this.#parts;
    const asking = signalling.request('recording.start', this.#payloadOf(call), options);
    return (await askOnce(this.#parts, asking, options)).call.recording;
  }

  async answer(call: Call, granted: boolean, options?: CallOptions): Promise<CallRecording | null> {
    const { signalling } = this.#parts;
    const payload = { ...this.#payloadOf(call), recordingId: recordingOf(call), granted };
    const ask = () => signalling.request('recording.answer', payload, options);
    const answer = await (granted
      ? askOnce(this.#parts, ask(), options)
      : askUntilAnswered(this.#parts, ask, options));
    return answer.call.recording;
  }

  pause(call: Call, options?: CallOptions): Promise<CallRecording | null> {
    return this.#control('recording.pause', call, options);
  }

  resume(call: Call, options?: CallOptions): Promise<CallRecording | null> {
    return this.#control('recording.resume', call, options);
  }

  stop(call: Call, options?: CallOptions): Promise<CallRecording | null> {
    return this.#control('recording.stop', call, options);
  }

  async #control(name: Control, call: Call, options?: CallOptions): Promise<CallRecording | null> {
    const { signalling } = this.#parts;
    const payload = { ...this.#payloadOf(call), recordingId: recordingOf(call) };
    const ask = () => signalling.request(name, payload, options);
    const answer = await (name === 'recording.resume'
      ? askOnce(this.#parts, ask(), options)
      : askUntilAnswered(this.#parts, ask, options));
    return answer.call.recording;
  }

  #payloadOf(call: Call): { consultationId: RecordParts['consultationId']; callId: CallId } {
    const { consultationId, callId } = call.view;
    if (consultationId !== this.#parts.consultationId)
      throw new AppError('INVALID', { detail: 'a call of another consultation' });
    return { consultationId, callId };
  }
}

function recordingOf(call: Call): CallRecording['recordingId'] {
  const { recording } = call.view;
  if (recording === null)
    throw new AppError('WRONG_STATE', { detail: 'nobody has asked to record this call' });
  return recording.recordingId;
}
