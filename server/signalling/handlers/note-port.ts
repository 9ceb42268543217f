import { AppError } from '@teleconsult/protocol';
import type { Asked } from './recording-port.ts';

/**
 * What is asked of notes and of the dictations they are made of, one method a request. To whoever takes no part in the
 * consultation there is none (`NOT_FOUND`); repeating a request changes nothing.
 */
export interface NoteRequests {
  readonly beginDictation: Asked<'dictation.begin'>;
  readonly finishDictation: Asked<'dictation.finish'>;
  readonly list: Asked<'note.list'>;
  readonly history: Asked<'note.history'>;
  readonly create: Asked<'note.create'>;
  readonly save: Asked<'note.save'>;
  readonly sign: Asked<'note.sign'>;
  readonly add: Asked<'note.add'>;
  readonly discard: Asked<'note.discard'>;
}

const notConfigured = async (): Promise<never> => {
  throw new AppError('NOT_CONFIGURED', { detail: 'this server keeps no notes' });
};

/** For a server without them. */
export const noNotes: NoteRequests = {
  beginDictation: notConfigured,
  finishDictation: notConfigured,
  list: notConfigured,
  history: notConfigured,
  create: notConfigured,
  save: notConfigured,
  sign: notConfigured,
  add: notConfigured,
  discard: notConfigured,
};
