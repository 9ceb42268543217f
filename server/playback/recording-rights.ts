import type { ConsultationView, PersonId, RecordingRight } from '@teleconsult/protocol';
import type { StoredRecording } from '../recordings/ports.ts';
import { isOfCall } from '../recordings/purposes.ts';

/** What may be done with a recording. `list`: know that it is there. */
export type RecordingAct = 'list' | RecordingRight;

/** Who looks on. `author`: who dictated it. A doctor of a thread of colleagues who did not record it is a `colleague`. */
export type Onlooker =
  | 'patient'
  | 'doctor'
  | 'colleague'
  | 'relative'
  | 'interpreter'
  | 'author'
  /** The host application. */
  | 'host';

/**
 * How a recording stands: the recording of a call (also by phone), or a dictation that a signed note holds, or that none does. One that a
 * signed note of a health channel holds is a published clip.
 */
export type Standing = 'call' | 'dictation' | 'held dictation' | 'published clip';

const all: readonly RecordingAct[] = ['list', 'play', 'download', 'delete'];
const listen: readonly RecordingAct[] = ['list', 'play'];
const nothing: readonly RecordingAct[] = [];

/** Standing × onlooker × act. What is not in the table is not allowed. */
export const recordingRights: Readonly<
  Record<Standing, Readonly<Record<Onlooker, readonly RecordingAct[]>>>
> = {
  call: {
    patient: listen,
    doctor: all,
    colleague: listen,
    relative: nothing,
    interpreter: nothing,
    author: nothing,
    host: ['list', 'delete'],
  },
  dictation: {
    patient: nothing,
    doctor: nothing,
    colleague: nothing,
    relative: nothing,
    interpreter: nothing,
    author: all,
    host: ['list', 'delete'],
  },
  'held dictation': {
    patient: listen,
    doctor: listen,
    colleague: nothing,
    relative: nothing,
    interpreter: nothing,
    author: ['list', 'play', 'download'],
    host: ['list'],
  },
  // It was handed over for publication: the host application fetches it, and alone takes it back.
  'published clip': {
    patient: nothing,
    doctor: nothing,
    colleague: nothing,
    relative: nothing,
    interpreter: nothing,
    author: ['list', 'play', 'download'],
    host: ['list', 'download', 'delete'],
  },
};

/** As whom a person looks at a recording; null: they take no part in its consultation. */
export function onlookerOf(
  by: PersonId | null,
  { kind, participants }: Pick<ConsultationView, 'kind' | 'participants'>,
  recording: Pick<StoredRecording, 'purpose' | 'startedBy'>,
): Onlooker | null {
  if (by === null) return 'host';
  const role = participants.find(({ personId }) => personId === by)?.role;
  if (role === undefined) return null;
  if (!isOfCall(recording)) return recording.startedBy === by ? 'author' : role;
  return kind === 'colleagues' && recording.startedBy !== by ? 'colleague' : role;
}
