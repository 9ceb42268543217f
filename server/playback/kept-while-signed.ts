import type { NoteRequests } from '../signalling/handlers/note-port.ts';
import type { Playback } from './playback.ts';

/** The same requests; a dictation is not erased between the look whether it is there and the signature that holds it. */
export const keptWhileSigned = (
  playback: Pick<Playback, 'whileKept'>,
  notes: NoteRequests,
): NoteRequests => ({
  ...notes,
  sign: (wish, asked) => playback.whileKept(wish.consultationId, () => notes.sign(wish, asked)),
  add: (wish, asked) => playback.whileKept(wish.consultationId, () => notes.add(wish, asked)),
});
