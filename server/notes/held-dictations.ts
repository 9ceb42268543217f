import type { ConsultationId, NoteId, RecordingId } from '@teleconsult/protocol';
import type { ConsultationHost } from '../host/host.ts';
import { BoundedMap } from '../notify/bounded-map.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import type { NoteStore, StoredNoteVersion } from './ports.ts';
import { openVersion } from './sealed-note.ts';

/** Signed notes of which it is remembered what they hold. */
const REMEMBERED = 10_000;

export interface HeldDictationsParts {
  readonly notes: NoteStore;
  readonly host: Pick<ConsultationHost, 'sealing'>;
}

/** The dictations in signed notes, which change with additions alone: they are asked for with every recording that is listed. */
export class HeldDictations {
  readonly #parts: HeldDictationsParts;
  readonly #held = new BoundedMap<NoteId, Promise<ReadonlySet<RecordingId>>>(REMEMBERED);

  constructor(parts: HeldDictationsParts) {
    this.#parts = parts;
  }

  /** Whether a signed note holds this dictation: then it is part of the record and is not erased by itself. */
  async has(consultationId: ConsultationId, recordingId: RecordingId): Promise<boolean> {
    const { notes, host } = this.#parts;
    const { key } = await host.sealing(consultationId, null);
    for (const { noteId, state } of await notes.notesOf(consultationId))
      if (state === 'signed' && (await this.#heldBy(key, noteId)).has(recordingId)) return true;
    return false;
  }

  /** Something was added to this note. */
  forget(noteId: NoteId): void {
    this.#held.delete(noteId);
  }

  #heldBy(key: ConsultationKey, noteId: NoteId): Promise<ReadonlySet<RecordingId>> {
    const known = this.#held.get(noteId);
    if (known !== undefined) return known;
    // What was dictated for an earlier version of a signed note was replaced by its author.
    const held = (async () => dictationsOf(key, signedPart(await this.#parts.notes.versionsOf(noteId))))();
    // Before it is read: an addition that comes meanwhile makes it be read again.
    this.#held.set(noteId, held);
    held.catch(() => this.#held.delete(noteId));
    return held;
  }
}

/** The dictations that these versions name. */
export const dictationsOf = (
  key: ConsultationKey,
  versions: readonly StoredNoteVersion[],
): Set<RecordingId> =>
  new Set(
    versions.map((version) => openVersion(key, version).audio?.recordingId).filter((id) => id !== undefined),
  );

/** The version that was signed and what was added. */
const signedPart = (versions: readonly StoredNoteVersion[]): readonly StoredNoteVersion[] => {
  const signed = versions.findLast(({ kind }) => kind === 'version');
  return versions.filter((version) => version === signed || version.kind === 'addition');
};
