import type { Clip, Records } from '@teleconsult/client-sdk/records';
import { clipsOf } from '@teleconsult/client-sdk/records';
import type { Note } from '@teleconsult/protocol';

/** What a note of a health channel is as a clip, as far as the recordings are known. */
export function clipOf(note: Note, records: Pick<Records, 'recordings'> | null): Clip {
  const [clip] = clipsOf({ notes: [note], recordings: records?.recordings ?? [] });
  if (clip === undefined) throw new TypeError('It is no clip.');
  return clip;
}
