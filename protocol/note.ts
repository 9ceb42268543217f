import { z } from 'zod';
import { ConsultationId, FollowUpId, Moment, NoteId, PersonId, RecordingId } from './ids.ts';
import { MAX_NOTE_LENGTH } from './limits.ts';
import { DictationPurpose } from './recording.ts';

/** A dictation as part of a note: which, and what of it counts. */
export const NoteAudio = z
  .strictObject({
    recordingId: RecordingId,
    /** What was cut off at the ends, in milliseconds from the beginning of the dictation, whose files count one after the other; it stays whole. */
    startMs: z.int().min(0),
    /** null: to its end. */
    endMs: z.int().min(1).nullable(),
  })
  .refine(({ startMs, endMs }) => endMs === null || endMs > startMs, 'ends before it begins');
export type NoteAudio = z.infer<typeof NoteAudio>;

const Text = z.string().max(MAX_NOTE_LENGTH);

/** What was written and said at one time. */
export const NoteVersion = z.strictObject({
  version: z.int().min(1),
  at: Moment,
  by: PersonId,
  text: z.string(),
  audio: NoteAudio.nullable(),
});
export type NoteVersion = z.infer<typeof NoteVersion>;

/**
 * What a doctor records about a visit: the consultation summary, or the result of a follow-up. A draft is its author's
 * alone. A signed one is everybody's in the visit and never changes; what comes later is added to it. In a health channel a
 * note is a clip: signing it hands it over for publication, and nothing is added to it.
 */
export const Note = z.strictObject({
  noteId: NoteId,
  consultationId: ConsultationId,
  purpose: DictationPurpose,
  followUpId: FollowUpId.nullable(),
  author: PersonId,
  createdAt: Moment,
  state: z.enum(['draft', 'signed']),
  signedAt: Moment.nullable(),
  /** The newest version; the signed one once it is signed. */
  current: NoteVersion,
  /** Later additions to a signed note, in order. */
  additions: z.array(NoteVersion),
});
export type Note = z.infer<typeof Note>;

const note = { consultationId: ConsultationId, noteId: NoteId };
const content = { text: Text, audio: NoteAudio.nullable() };
const NoteResult = z.strictObject({ note: Note });
const ClientId = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/);

export const noteRequests = {
  'note.list': {
    summary: 'The notes of a consultation: all signed ones, and drafts of this person. Oldest first.',
    payload: z.strictObject({ consultationId: ConsultationId }),
    result: z.strictObject({ notes: z.array(Note) }),
  },
  'note.history': {
    summary:
      'All versions of a note, oldest first. Of a draft for its author alone, of a signed note for the doctor.',
    payload: z.strictObject(note),
    result: z.strictObject({ versions: z.array(NoteVersion) }),
  },
  'note.create': {
    summary:
      'The doctor begins a draft. The same clientNoteId is the same note. Its purpose is `health_channel` in a health channel, and nowhere else.',
    payload: z.strictObject({
      consultationId: ConsultationId,
      clientNoteId: ClientId,
      purpose: DictationPurpose,
      followUpId: FollowUpId.optional(),
      ...content,
    }),
    result: NoteResult,
  },
  'note.save': {
    summary:
      'A new version of a draft, made from version `from`; `CONFLICT` when another device has saved since. Saying the same again changes nothing.',
    payload: z.strictObject({ ...note, from: z.int().min(1), ...content }),
    result: NoteResult,
  },
  'note.sign': {
    summary:
      'Sign version `version`, which must be the newest and hold text or a finished dictation; a clip of a health channel, which is published by it, must hold a finished dictation that no other published clip holds. From then on it never changes. Signing again changes nothing.',
    payload: z.strictObject({ ...note, version: z.int().min(1) }),
    result: NoteResult,
  },
  'note.add': {
    summary:
      'Add to a signed note. The same clientNoteId is the same addition. Published clips are not added to (`WRONG_STATE`).',
    payload: z.strictObject({ ...note, clientNoteId: ClientId, ...content }),
    result: NoteResult,
  },
  'note.discard': {
    summary: 'Throw a draft away, with the dictations that no other note holds. Signed notes stay.',
    payload: z.strictObject(note),
    result: z.strictObject({}),
  },
};
