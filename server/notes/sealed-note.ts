/** What of notes is sealed with the consultation's key, and the places it is sealed for. */
import type { DictationPurpose, FollowUpId, Note, NoteAudio, NoteVersion } from '@teleconsult/protocol';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import type { StoredNote, StoredNoteVersion } from './ports.ts';

export interface NoteFacts {
  readonly purpose: DictationPurpose;
  readonly followUpId: FollowUpId | null;
  readonly signedAt: number | null;
}

/** What was written and said. */
export interface NoteContent {
  readonly text: string;
  readonly audio: NoteAudio | null;
}

type VersionPlace = Pick<StoredNoteVersion, 'noteId' | 'kind' | 'number' | 'at' | 'by'>;

const notePlace = ({ noteId }: Pick<StoredNote, 'noteId'>): string => `note|${noteId}`;
/** Who and when are part of it: no version stands in for another's. */
const versionPlace = ({ noteId, kind, number, at, by }: VersionPlace): string =>
  ['note version', noteId, kind, number, at, by].join('|');

export const sealNoteFacts = (
  key: ConsultationKey,
  note: Pick<StoredNote, 'noteId'>,
  facts: NoteFacts,
): Uint8Array => key.seal(JSON.stringify(facts), notePlace(note));

/** @throws AppError INTEGRITY */
export const openNoteFacts = (key: ConsultationKey, note: Pick<StoredNote, 'noteId' | 'sealed'>): NoteFacts =>
  JSON.parse(key.open(note.sealed, notePlace(note)).toString('utf8')) as NoteFacts;

export const sealVersion = (
  key: ConsultationKey,
  place: VersionPlace,
  { text, audio }: NoteContent,
): Uint8Array => key.seal(JSON.stringify({ text, audio }), versionPlace(place));

/** @throws AppError INTEGRITY */
export function openVersion(key: ConsultationKey, stored: StoredNoteVersion): NoteVersion {
  const { number: version, at, by } = stored;
  const content = JSON.parse(key.open(stored.sealed, versionPlace(stored)).toString('utf8')) as NoteContent;
  return { version, at, by, ...content };
}

/** @throws AppError INTEGRITY */
export function openNote(
  key: ConsultationKey,
  note: StoredNote,
  versions: readonly StoredNoteVersion[],
): Note {
  const { noteId, consultationId, author, createdAt, state } = note;
  const newest = versions.findLast(({ kind }) => kind === 'version');
  if (newest === undefined) throw new TypeError('A note has a version.');
  return {
    noteId,
    consultationId,
    author,
    createdAt,
    state,
    ...openNoteFacts(key, note),
    current: openVersion(key, newest),
    additions: versions.filter(({ kind }) => kind === 'addition').map((one) => openVersion(key, one)),
  };
}
