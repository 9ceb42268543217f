import type { CallId, ConsultationId, PersonId, RecordingId } from '@teleconsult/protocol';
import { recordedPeople } from '../consultation/recording.ts';
import type { ConsultationState } from '../consultation/state.ts';

/** What of a call is to be recorded at a moment, as its state says. */
export interface Wanted {
  readonly recordingId: RecordingId;
  readonly consultationId: ConsultationId;
  readonly callId: CallId;
  readonly startedBy: PersonId;
  /** Nobody while it is asked for, paused, or somebody is alone. */
  readonly people: readonly PersonId[];
}

/** Null where no recording is asked for or runs. */
export function wantedOf({ id, call }: ConsultationState): Wanted | null {
  if (call === null || call.recording === null) return null;
  const { recordingId, startedBy } = call.recording;
  return {
    recordingId,
    consultationId: id,
    callId: call.callId,
    startedBy,
    people: recordedPeople(call),
  };
}
