import type { Dictation } from '@teleconsult/client-sdk/records';

/** Until it is written, what was said in the last moment is on neither; slices are half a second to a second long. */
const WRITING_MS = 1_500;

/** Where what was dictated is safe now: what the words under the clock say. */
export type DictationSafety = 'server' | 'device' | 'risk';

export function safetyOf({
  durationMs,
  keptMs,
  savedMs,
}: Pick<Dictation, 'durationMs' | 'keptMs' | 'savedMs'>): DictationSafety {
  if (savedMs >= durationMs - WRITING_MS && durationMs > 0) return 'server';
  return Math.max(keptMs, savedMs) >= durationMs - WRITING_MS ? 'device' : 'risk';
}
