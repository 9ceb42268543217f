import { askedBy, type HandlersOf, type Services } from './handler.ts';

/** Notes of doctors and the dictations in them. */
export const noteHandlers = ({ notes }: Pick<Services, 'notes'>): HandlersOf<'note' | 'dictation'> => ({
  'dictation.begin': async (payload, session) => notes.beginDictation(payload, askedBy(session)),
  'dictation.finish': async (payload, session) => notes.finishDictation(payload, askedBy(session)),
  'note.list': async (payload, session) => notes.list(payload, askedBy(session)),
  'note.history': async (payload, session) => notes.history(payload, askedBy(session)),
  'note.create': async (payload, session) => notes.create(payload, askedBy(session)),
  'note.save': async (payload, session) => notes.save(payload, askedBy(session)),
  'note.sign': async (payload, session) => notes.sign(payload, askedBy(session)),
  'note.add': async (payload, session) => notes.add(payload, askedBy(session)),
  'note.discard': async (payload, session) => notes.discard(payload, askedBy(session)),
});
