import type { CallRecording, PersonId } from '@teleconsult/protocol';

/** What is new about the recording of a call for somebody who is in it; null: nothing to tell. */
export type RecordingNews = 'asked' | 'began' | 'runs' | 'paused' | 'resumed' | 'over';

interface Change {
  readonly before: CallRecording | null;
  readonly after: CallRecording | null;
  /** The first look at a call: what runs has begun before. */
  readonly isFirst: boolean;
  readonly self: PersonId;
}

/** Pure. The end of what was only asked for is no end of a recording: the thread says how it came out. */
export function recordingNews({ before, after, isFirst, self }: Change): RecordingNews | null {
  if (after === null) return before !== null && before.phase !== 'asking' ? 'over' : null;
  const was = before?.recordingId === after.recordingId ? before : null;
  const isAsked = isAskedIn(after, self);
  if (isAsked && (was === null || !isAskedIn(was, self))) return 'asked';
  if (was?.phase === after.phase) return null;
  switch (after.phase) {
    case 'asking':
      return null;
    case 'paused':
      return 'paused';
    case 'running':
      if (was?.phase === 'paused') return 'resumed';
      return isFirst || was === null ? 'runs' : 'began';
    default: {
      const unreachable: never = after.phase;
      return unreachable;
    }
  }
}

const isAskedIn = ({ consents }: CallRecording, self: PersonId): boolean =>
  consents.some(({ personId, state }) => personId === self && state === 'asked');

/** Those that are heard as well as read: sound that begins to be recorded. */
export const isHeard = (news: RecordingNews): boolean =>
  news === 'began' || news === 'runs' || news === 'resumed';
