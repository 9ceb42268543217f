import type { Dictation, Records } from '@teleconsult/client-sdk/records';
import type { DictationPurpose, NoteAudio } from '@teleconsult/protocol';

/** What becomes of a dictation once all of it is on the server. */
export type DictationTarget =
  /** A draft of its own. */
  | { readonly kind: 'newNote' }
  /** The next version of a draft. */
  | { readonly kind: 'draft'; readonly noteId: string }
  /** Part of what is being added to a signed note, which is not sent yet. */
  | { readonly kind: 'addition'; readonly noteId: string };

/** A device dictates one at a time; some may wait for a connection. */
const MAX_TARGETS = 20;

/** Outlives the dialog that began the dictation, as the dictation does. */
const targets = new Map<string, DictationTarget>();
const finishing = new Set<string>();

export async function beginDictation(
  records: Records,
  purpose: DictationPurpose,
  { target, followUpId }: { readonly target: DictationTarget; readonly followUpId: string | null },
): Promise<Dictation> {
  const dictation = await records.dictate({ purpose, ...(followUpId === null ? {} : { followUpId }) });
  targets.set(dictation.id, target);
  const [oldest] = targets.keys();
  if (targets.size > MAX_TARGETS && oldest !== undefined) targets.delete(oldest);
  return dictation;
}

export type Finished =
  | { readonly kind: 'note'; readonly noteId: string }
  | { readonly kind: 'addition'; readonly noteId: string; readonly audio: NoteAudio };

/**
 * Finishes a dictation and puts it where it belongs; null when that is under way already. Resolves when all of it is on
 * the server, which without a connection may be long after the dialog was closed.
 */
export async function finishDictation(records: Records, dictation: Dictation): Promise<Finished | null> {
  if (finishing.has(dictation.id)) return null;
  finishing.add(dictation.id);
  try {
    const { recordingId } = await dictation.finish();
    const audio: NoteAudio = { recordingId, startMs: 0, endMs: null };
    return await place(records, { dictation, audio });
  } finally {
    finishing.delete(dictation.id);
  }
}

async function place(
  records: Records,
  { dictation, audio }: { readonly dictation: Dictation; readonly audio: NoteAudio },
): Promise<Finished> {
  const target = targets.get(dictation.id) ?? { kind: 'newNote' };
  if (target.kind === 'addition') {
    targets.delete(dictation.id);
    return { kind: 'addition', noteId: target.noteId, audio };
  }
  const draft =
    target.kind === 'draft'
      ? records.notes.find(({ noteId, state }) => noteId === target.noteId && state === 'draft')
      : undefined;
  const { purpose, followUpId } = dictation;
  const note =
    draft === undefined
      ? await records.createNote({ purpose, ...(followUpId === null ? {} : { followUpId }), text: '', audio })
      : await records.saveNote(draft, { text: draft.current.text, audio });
  targets.delete(dictation.id);
  return { kind: 'note', noteId: note.noteId };
}
