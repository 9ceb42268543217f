import type { NoteRequests } from '../signalling/handlers/note-port.ts';
import type { Dictations } from './dictations.ts';
import type { Notes } from './notes.ts';

/** What devices ask of notes and dictations. Whether a token reaches the consultation was checked before. */
export const noteRequests = (notes: Notes, dictations: Dictations): NoteRequests => ({
  beginDictation: (payload, { by }) => dictations.begin(by, payload),
  finishDictation: (payload, { by }) => dictations.finish(by, payload),
  list: ({ consultationId }, { by }) => notes.list(by, consultationId),
  history: (payload, { by }) => notes.history(by, payload),
  create: (payload, { by }) => notes.create(by, payload),
  save: (payload, { by }) => notes.save(by, payload),
  sign: (payload, { by }) => notes.sign(by, payload),
  add: (payload, { by }) => notes.add(by, payload),
  discard: async (payload, { by }) => {
    await notes.discard(by, payload);
    return {};
  },
});
