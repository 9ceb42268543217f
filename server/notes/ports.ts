/** What notes need of the outside: a store that never overwrites a version. One contract suite (test/contract). */
import type { ConsultationId, NoteId, PersonId } from '@teleconsult/protocol';

export interface StoredNote {
  readonly noteId: NoteId;
  readonly consultationId: ConsultationId;
  readonly author: PersonId;
  /** What the author's device calls it: unique for one author in one consultation. */
  readonly clientId: string;
  readonly createdAt: number;
  readonly state: 'draft' | 'signed';
  /** How many of its signing and additions the thread tells of. */
  readonly announced: number;
  readonly sealed: Uint8Array;
}

/** What was written and said at one time: a version of a draft, or an addition to a signed note; numbered apart from 1. */
export interface StoredNoteVersion {
  readonly noteId: NoteId;
  readonly kind: 'version' | 'addition';
  readonly number: number;
  readonly at: number;
  readonly by: PersonId;
  /** What the device calls an addition; null for versions. */
  readonly clientId: string | null;
  readonly sealed: Uint8Array;
}

/**
 * The store of record of notes. A resolved write survives a power cut; a rejected one (`STORAGE_FULL`,
 * `STORAGE_UNAVAILABLE`) left nothing behind and may be repeated.
 */
export interface NoteStore {
  /** With its first version, both or none. Answers the note of this author and `clientId` when there is one. */
  createNote(
    note: StoredNote,
    first: StoredNoteVersion,
  ): Promise<{ readonly created: boolean; readonly note: StoredNote }>;
  loadNote(noteId: NoteId): Promise<StoredNote | null>;
  /** Oldest first. */
  notesOf(consultationId: ConsultationId): Promise<readonly StoredNote[]>;
  /** Versions, then additions, each in their order. */
  versionsOf(noteId: NoteId): Promise<readonly StoredNoteVersion[]>;
  /**
   * Adds the next version to a draft, or the next addition to a signed note. False: it is in the other state, the number is
   * not the next one, or an addition of this `clientId` exists.
   */
  addVersion(version: StoredNoteVersion): Promise<boolean>;
  /** From draft to signed, if its newest version is this one. */
  signNote(noteId: NoteId, version: number, sealed: Uint8Array): Promise<boolean>;
  /** Removes a draft with its versions; false: there is none, or it is signed. */
  removeDraft(noteId: NoteId): Promise<boolean>;
  /** Signed notes of which the thread does not tell everything yet. */
  unannounced(): Promise<readonly StoredNote[]>;
  /** Never lowers. */
  markAnnounced(noteId: NoteId, announced: number): Promise<void>;
}
