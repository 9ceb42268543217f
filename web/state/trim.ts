import type { NoteAudio, RecordingId } from '@teleconsult/protocol';

/** What of a dictation counts, in milliseconds from its beginning. */
export interface Trim {
  readonly startMs: number;
  readonly endMs: number;
}

/** Less than this is nothing to listen to. */
export const MIN_TRIM_MS = 500;

/** As far as the dictation goes, and never less than half a second. */
export function trimWithin({ startMs, endMs }: Trim, lengthMs: number): Trim {
  const least = Math.min(MIN_TRIM_MS, lengthMs);
  const end = Math.min(lengthMs, Math.max(least, Math.round(endMs)));
  return { startMs: Math.min(end - least, Math.max(0, Math.round(startMs))), endMs: end };
}

/** Moves one end; it stops before the other. */
export function moveEnd(trim: Trim, change: Partial<Trim>, lengthMs: number): Trim {
  const least = Math.min(MIN_TRIM_MS, lengthMs);
  const { startMs, endMs } = change;
  if (startMs !== undefined)
    return { ...trim, startMs: Math.max(0, Math.min(Math.round(startMs), trim.endMs - least)) };
  if (endMs !== undefined)
    return { ...trim, endMs: Math.min(lengthMs, Math.max(Math.round(endMs), trim.startMs + least)) };
  return trim;
}

export const trimOf = ({ startMs, endMs }: Pick<NoteAudio, 'startMs' | 'endMs'>, lengthMs: number): Trim =>
  trimWithin({ startMs, endMs: endMs ?? lengthMs }, lengthMs);

/** As a note has it: an end that was not cut is open. */
export const audioOf = (recordingId: RecordingId, trim: Trim, lengthMs: number): NoteAudio => ({
  recordingId,
  startMs: trim.startMs,
  endMs: trim.endMs >= lengthMs ? null : trim.endMs,
});

export const isCut = ({ startMs, endMs }: Trim, lengthMs: number): boolean => startMs > 0 || endMs < lengthMs;
