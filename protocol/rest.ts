import { z } from 'zod';
import { AttachmentStatus, DisplayName } from './attachment.ts';
import { PublishedClip } from './clip.ts';
import { type ErrorCode, errorCatalogue } from './errors.ts';
import { SubjectDraft } from './form.ts';
import { AttachmentId, ConsultationId, NoteId, PersonId, RecordingId, Sequence } from './ids.ts';
import { MAX_CAPTION_LENGTH, MAX_DICTATION_FILES, MAX_PAGE_SIZE } from './limits.ts';
import { ConsultationView, Entry, GuestRole } from './model.ts';
import { PhoneBoard } from './phone.ts';
import { RecordingView } from './recording.ts';

/** RFC 9457 problem details. `code` and `requestId` are extension members. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  code: z.enum(Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]]),
  requestId: z.string(),
});
export type Problem = z.infer<typeof Problem>;

const Person = z.strictObject({ personId: PersonId, displayName: DisplayName });

export const CreateConsultation = z.strictObject({
  patient: Person,
  doctor: Person,
  /** For whom the patient consults, when that is somebody else; the host application answers for the authorisation. */
  subject: SubjectDraft.optional(),
});
export type CreateConsultation = z.infer<typeof CreateConsultation>;

export const EndConsultation = z.strictObject({
  reason: z.enum(['completed', 'cancelled', 'expired']).default('completed'),
  note: z.string().trim().min(1).max(MAX_CAPTION_LENGTH).optional(),
});
export type EndConsultation = z.infer<typeof EndConsultation>;

export const AddParticipant = z.strictObject({ ...Person.shape, role: GuestRole });
export type AddParticipant = z.infer<typeof AddParticipant>;

export const RemoveMessage = z.strictObject({
  /** For the people in the consultation to read. */
  reason: z.string().trim().min(1).max(MAX_CAPTION_LENGTH).optional(),
});
export type RemoveMessage = z.infer<typeof RemoveMessage>;

export const ThreadQuery = z.strictObject({
  afterSequence: z.coerce.number().pipe(Sequence).default(0),
  limit: z.coerce.number().pipe(z.int().min(1).max(MAX_PAGE_SIZE)).default(100),
});
export type ThreadQuery = z.infer<typeof ThreadQuery>;

/** What is wrong with it is answered without repeating it. */
export const PhoneNumberOfPerson = z.strictObject({ number: z.string().min(1).max(64) });

export interface RouteDefinition {
  readonly method: 'get' | 'post' | 'put' | 'head' | 'patch' | 'delete';
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  /** Who may call it: the host application's server, a participant, or both. */
  readonly audience: readonly ('host' | 'participant')[];
  readonly params: Record<string, z.ZodType>;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly headers?: Record<string, { required: boolean; description: string }>;
  readonly status: number;
  readonly response: z.ZodType | 'bytes' | 'empty';
  readonly errors: readonly ErrorCode[];
}

const define = <const T extends Record<string, RouteDefinition>>(table: T): T => table;
const ofConsultation = { consultationId: ConsultationId };
const ofClip = { ...ofConsultation, noteId: NoteId };
const always = [
  'UNAUTHENTICATED',
  'TOKEN_EXPIRED',
  'RATE_LIMITED',
  'INTERNAL',
  'STORAGE_UNAVAILABLE',
] as const;

/** The REST interface. The OpenAPI document is generated from this table. */
export const routes = define({
  createConsultation: {
    method: 'post',
    path: '/v1/consultations',
    operationId: 'createConsultation',
    summary:
      'Create a consultation between a patient and a doctor. With the same Idempotency-Key the first answer is repeated.',
    audience: ['host'],
    params: {},
    headers: {
      'Idempotency-Key': {
        required: false,
        description: '1–128 printable characters; the same key and body create one consultation.',
      },
    },
    body: CreateConsultation,
    status: 201,
    response: ConsultationView,
    errors: [...always, 'INVALID', 'FORBIDDEN', 'CONFLICT', 'STORAGE_FULL'],
  },
  getConsultation: {
    method: 'get',
    path: '/v1/consultations/:consultationId',
    operationId: 'getConsultation',
    summary: 'The present state of a consultation.',
    audience: ['host', 'participant'],
    params: ofConsultation,
    status: 200,
    response: ConsultationView,
    errors: [...always, 'NOT_FOUND'],
  },
  getThread: {
    method: 'get',
    path: '/v1/consultations/:consultationId/thread',
    operationId: 'getThread',
    summary: 'The thread in ascending order, by pages.',
    audience: ['host', 'participant'],
    params: ofConsultation,
    query: ThreadQuery,
    status: 200,
    response: z.strictObject({ entries: z.array(Entry), hasMore: z.boolean(), lastSequence: Sequence }),
    errors: [...always, 'INVALID', 'NOT_FOUND'],
  },
  endConsultation: {
    method: 'post',
    path: '/v1/consultations/:consultationId/end',
    operationId: 'endConsultation',
    summary: 'End a consultation on behalf of the host application.',
    audience: ['host'],
    params: ofConsultation,
    body: EndConsultation,
    status: 200,
    response: ConsultationView,
    errors: [...always, 'INVALID', 'FORBIDDEN', 'NOT_FOUND', 'WRONG_STATE', 'STORAGE_FULL'],
  },
  addParticipant: {
    method: 'post',
    path: '/v1/consultations/:consultationId/participants',
    operationId: 'addParticipant',
    summary:
      'Draw a colleague, a relative or an interpreter into a consultation. Repeating it changes nothing.',
    audience: ['host'],
    params: ofConsultation,
    body: AddParticipant,
    status: 200,
    response: ConsultationView,
    errors: [...always, 'INVALID', 'FORBIDDEN', 'NOT_FOUND', 'CONFLICT', 'WRONG_STATE', 'STORAGE_FULL'],
  },
  removeParticipant: {
    method: 'delete',
    path: '/v1/consultations/:consultationId/participants/:personId',
    operationId: 'removeParticipant',
    summary: 'Take a colleague, a relative or an interpreter out of a consultation.',
    audience: ['host'],
    params: { ...ofConsultation, personId: PersonId },
    status: 200,
    response: ConsultationView,
    errors: [...always, 'FORBIDDEN', 'NOT_FOUND', 'WRONG_STATE', 'STORAGE_FULL'],
  },
  removeMessage: {
    method: 'post',
    path: '/v1/consultations/:consultationId/messages/:sequence/remove',
    operationId: 'removeMessage',
    summary:
      'Take a message out of the thread (moderation). People read a tombstone; the original stays sealed in the store. Repeating it changes nothing.',
    audience: ['host'],
    params: { ...ofConsultation, sequence: z.coerce.number().pipe(Sequence) },
    body: RemoveMessage,
    status: 200,
    response: Entry,
    errors: [...always, 'INVALID', 'FORBIDDEN', 'NOT_FOUND', 'STORAGE_FULL'],
  },
  listRecordings: {
    method: 'get',
    path: '/v1/consultations/:consultationId/recordings',
    operationId: 'listRecordings',
    summary:
      'The recordings of a consultation, newest first. The host application may list and erase them, not play them; of health channels see `listClips`.',
    audience: ['host'],
    params: ofConsultation,
    status: 200,
    response: z.strictObject({ recordings: z.array(RecordingView) }),
    errors: [...always, 'FORBIDDEN', 'NOT_FOUND', 'STORAGE_FULL'],
  },
  deleteRecording: {
    method: 'delete',
    path: '/v1/consultations/:consultationId/recordings/:recordingId',
    operationId: 'deleteRecording',
    summary:
      'Erase the media of a recording for good; that it was made and erased stays on record. A dictation of a signed note cannot be erased; that of a published clip can, and takes the clip back. Repeating it changes nothing.',
    audience: ['host'],
    params: { ...ofConsultation, recordingId: RecordingId },
    status: 200,
    response: RecordingView,
    errors: [...always, 'FORBIDDEN', 'NOT_FOUND', 'WRONG_STATE', 'STORAGE_FULL'],
  },
  setPhoneNumber: {
    method: 'put',
    path: '/v1/people/:personId/phone-number',
    operationId: 'setPhoneNumber',
    summary:
      'The telephone of a person, for masked calls, as people write it; without a country code it is one of the configured region. It is stored sealed, and nobody is ever answered it. Relay numbers that are bound change with it.',
    audience: ['host'],
    params: { personId: PersonId },
    body: PhoneNumberOfPerson,
    status: 204,
    response: 'empty',
    errors: [...always, 'INVALID', 'FORBIDDEN', 'NOT_FOUND', 'NOT_CONFIGURED', 'STORAGE_FULL'],
  },
  removePhoneNumber: {
    method: 'delete',
    path: '/v1/people/:personId/phone-number',
    operationId: 'removePhoneNumber',
    summary: 'Forget the telephone of a person. Repeating it changes nothing.',
    audience: ['host'],
    params: { personId: PersonId },
    status: 204,
    response: 'empty',
    errors: [...always, 'FORBIDDEN', 'NOT_FOUND', 'NOT_CONFIGURED', 'STORAGE_FULL'],
  },
  getPhoneBoard: {
    method: 'get',
    path: '/v1/consultations/:consultationId/phone',
    operationId: 'getPhoneBoard',
    summary: 'The masked calls of a consultation; no number of a person is among it.',
    audience: ['host'],
    params: ofConsultation,
    status: 200,
    response: PhoneBoard,
    errors: [...always, 'FORBIDDEN', 'NOT_FOUND'],
  },
  listClips: {
    method: 'get',
    path: '/v1/consultations/:consultationId/clips',
    operationId: 'listClips',
    summary:
      'The published clips of a health channel, in the order in which they were begun, withdrawn ones among them. `NOT_FOUND` for any other consultation.',
    audience: ['host'],
    params: ofConsultation,
    status: 200,
    response: z.strictObject({ clips: z.array(PublishedClip) }),
    errors: [...always, 'FORBIDDEN', 'NOT_FOUND', 'INTEGRITY', 'STORAGE_FULL'],
  },
  getClip: {
    method: 'get',
    path: '/v1/consultations/:consultationId/clips/:noteId',
    operationId: 'getClip',
    summary:
      'A published clip of a health channel: its words, what was trimmed, and its files. A draft is not found, nor is a note about a patient.',
    audience: ['host'],
    params: ofClip,
    status: 200,
    response: PublishedClip,
    errors: [...always, 'FORBIDDEN', 'NOT_FOUND', 'INTEGRITY', 'STORAGE_FULL'],
  },
  getClipFile: {
    method: 'get',
    path: '/v1/consultations/:consultationId/clips/:noteId/files/:number',
    operationId: 'getClipFile',
    summary:
      'The bytes of one file of a published clip. Range requests (RFC 9110 §14) are honoured. Each request is audited; `EXPIRED` once the clip is withdrawn.',
    audience: ['host'],
    params: {
      ...ofClip,
      number: z.coerce.number().pipe(
        z
          .int()
          .min(0)
          .max(MAX_DICTATION_FILES - 1),
      ),
    },
    status: 200,
    response: 'bytes',
    errors: [...always, 'FORBIDDEN', 'NOT_FOUND', 'EXPIRED', 'INTEGRITY', 'STORAGE_FULL'],
  },
  withdrawClip: {
    method: 'delete',
    path: '/v1/consultations/:consultationId/clips/:noteId',
    operationId: 'withdrawClip',
    summary:
      'Take a published clip back: its sound is erased for good; its words and that it was published stay on record. Repeating it changes nothing.',
    audience: ['host'],
    params: ofClip,
    status: 200,
    response: PublishedClip,
    errors: [...always, 'FORBIDDEN', 'NOT_FOUND', 'INTEGRITY', 'STORAGE_FULL'],
  },
  getAttachment: {
    method: 'get',
    path: '/v1/consultations/:consultationId/attachments/:attachmentId',
    operationId: 'getAttachment',
    summary: 'Whether an attachment is ready, and what is known of it.',
    audience: ['host', 'participant'],
    params: { ...ofConsultation, attachmentId: AttachmentId },
    status: 200,
    response: AttachmentStatus,
    errors: [...always, 'NOT_FOUND'],
  },
  getAttachmentContent: {
    method: 'get',
    path: '/v1/consultations/:consultationId/attachments/:attachmentId/content',
    operationId: 'getAttachmentContent',
    summary: 'The bytes of a ready attachment. Range requests (RFC 9110 §14) are honoured.',
    audience: ['host', 'participant'],
    params: { ...ofConsultation, attachmentId: AttachmentId },
    query: z.strictObject({ variant: z.enum(['original', 'thumbnail']).default('original') }),
    status: 200,
    response: 'bytes',
    errors: [...always, 'INVALID', 'NOT_FOUND', 'ATTACHMENT_NOT_READY', 'INTEGRITY'],
  },
});

export type RouteName = keyof typeof routes;
