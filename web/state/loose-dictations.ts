import type { Note, PersonId, RecordingView } from '@teleconsult/protocol';

/** Finished dictations of this person that no note holds: the page went away between finishing and writing. */
export function looseDictations({
  recordings,
  notes,
  history,
  self,
}: {
  readonly recordings: readonly RecordingView[];
  readonly notes: readonly Note[];
  /** Dictations that are being brought into a note, or stand in an earlier version of one. */
  readonly history: ReadonlySet<string>;
  readonly self: PersonId | undefined;
}): readonly RecordingView[] {
  const held = new Set(
    notes.flatMap(({ current, additions }) =>
      [current, ...additions].flatMap(({ audio }) => (audio === null ? [] : [audio.recordingId])),
    ),
  );
  return recordings.filter(
    ({ recordingId, purpose, startedBy, state }) =>
      purpose !== 'consultation' &&
      purpose !== 'phone_call' &&
      startedBy === self &&
      state === 'ready' &&
      !held.has(recordingId) &&
      !history.has(recordingId),
  );
}
