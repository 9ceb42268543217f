import type { FollowUpId, Note, NoteId, NoteVersion } from '@teleconsult/protocol';
import type { CallOptions } from '../api.ts';
import type { ClientIds } from './client-ids.ts';
import { askOnce, askUntilAnswered, type RecordParts } from './record-parts.ts';
import type { NoteContent, NoteDraft } from './records-api.ts';

/** What is done with notes. Whatever is repeated after a lost answer is the same note, version or addition. */
export class NoteActs {
  readonly #parts: RecordParts & { readonly ids: ClientIds };

  constructor(parts: RecordParts & { readonly ids: ClientIds }) {
    this.#parts = parts;
  }

  async list(options?: CallOptions): Promise<readonly Note[]> {
    const { signalling, consultationId } = this.#parts;
    return (await signalling.request('note.list', { consultationId }, options)).notes;
  }

  async history(noteId: NoteId, options?: CallOptions): Promise<readonly NoteVersion[]> {
    const { signalling, consultationId } = this.#parts;
    const ask = () => signalling.request('note.history', { consultationId, noteId }, options);
    return (await askUntilAnswered(this.#parts, ask, options)).versions;
  }

  create({ purpose, followUpId, text, audio }: NoteDraft, options?: CallOptions): Promise<Note> {
    const { signalling, consultationId, ids } = this.#parts;
    const belongsTo = followUpId === undefined ? {} : { followUpId: followUpId as FollowUpId };
    const draft = { consultationId, purpose, ...belongsTo, text, audio };
    return ids.use(['note', draft], async (clientNoteId) => {
      const ask = () => signalling.request('note.create', { ...draft, clientNoteId }, options);
      return (await askUntilAnswered(this.#parts, ask, options)).note;
    });
  }

  async save(
    { noteId, current }: Pick<Note, 'noteId' | 'current'>,
    { text, audio }: NoteContent,
    options?: CallOptions,
  ): Promise<Note> {
    const { signalling, consultationId } = this.#parts;
    const payload = { consultationId, noteId, from: current.version, text, audio };
    const ask = () => signalling.request('note.save', payload, options);
    return (await askUntilAnswered(this.#parts, ask, options)).note;
  }

  /** Once: what is signed cannot be taken back, so it is not signed later than it was asked for. */
  async sign({ noteId, current }: Pick<Note, 'noteId' | 'current'>, options?: CallOptions): Promise<Note> {
    const { signalling, consultationId } = this.#parts;
    const payload = { consultationId, noteId, version: current.version };
    return (await askOnce(this.#parts, signalling.request('note.sign', payload, options), options)).note;
  }

  add(noteId: NoteId, { text, audio }: NoteContent, options?: CallOptions): Promise<Note> {
    const { signalling, consultationId, ids } = this.#parts;
    const addition = { consultationId, noteId, text, audio };
    return ids.use(['addition', addition], async (clientNoteId) => {
      const ask = () => signalling.request('note.add', { ...addition, clientNoteId }, options);
      return (await askUntilAnswered(this.#parts, ask, options)).note;
    });
  }

  async discard(noteId: NoteId, options?: CallOptions): Promise<void> {
    const { signalling, consultationId } = this.#parts;
    await askOnce(
      this.#parts,
      signalling.request('note.discard', { consultationId, noteId }, options),
      options,
    );
  }
}
