import { z } from 'zod';
import {
  AttachmentId,
  CallId,
  ClientMessageId,
  ConsultationId,
  DeviceId,
  MessageId,
  Moment,
  PersonId,
  Sequence,
} from './ids.ts';
import { MAX_CAPTION_LENGTH, MAX_TEXT_LENGTH, VOICE_PEAK_COUNT } from './limits.ts';

export const ParticipantRole = z.enum(['patient', 'doctor']);
export type ParticipantRole = z.infer<typeof ParticipantRole>;

export const DisplayName = z.string().trim().min(1).max(80);

export const Participant = z.strictObject({
  personId: PersonId,
  role: ParticipantRole,
  displayName: DisplayName,
});
export type Participant = z.infer<typeof Participant>;

export const ConsultationPhase = z.enum(['requested', 'waiting', 'active', 'ended']);
export type ConsultationPhase = z.infer<typeof ConsultationPhase>;

/** Why a consultation ended. A closed list: internal reasons map to one of these. */
export const ConsultationEndReason = z.enum(['completed', 'declined', 'cancelled', 'expired']);
export type ConsultationEndReason = z.infer<typeof ConsultationEndReason>;

export const AttachmentKind = z.enum(['image', 'voice', 'file']);
export type AttachmentKind = z.infer<typeof AttachmentKind>;

/** What is known of a finished attachment. Widths and heights are pixels, sizes bytes, durations milliseconds. */
export const Attachment = z.discriminatedUnion('kind', [
  z.strictObject({
    attachmentId: AttachmentId,
    kind: z.literal('image'),
    contentType: z.string(),
    byteSize: z.int().min(1),
    width: z.int().min(1),
    height: z.int().min(1),
    /** Thumbhash of the picture, base64: a blurred placeholder of about 25 bytes. */
    thumbhash: z.string().max(64),
  }),
  z.strictObject({
    attachmentId: AttachmentId,
    kind: z.literal('voice'),
    contentType: z.string(),
    byteSize: z.int().min(1),
    durationMs: z.int().min(1),
    /** Loudness over time, 0 to 100. */
    peaks: z.array(z.int().min(0).max(100)).max(VOICE_PEAK_COUNT),
  }),
  z.strictObject({
    attachmentId: AttachmentId,
    kind: z.literal('file'),
    contentType: z.string(),
    byteSize: z.int().min(1),
    fileName: z.string().max(255),
  }),
]);
export type Attachment = z.infer<typeof Attachment>;

/** `processing` until the whole upload has arrived, was checked and is sealed; then `ready` or `refused`. */
export const AttachmentStatus = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('processing'),
    attachmentId: AttachmentId,
    receivedBytes: z.int(),
    byteSize: z.int(),
  }),
  z.strictObject({ status: z.literal('ready'), attachmentId: AttachmentId, attachment: Attachment }),
  z.strictObject({
    status: z.literal('refused'),
    attachmentId: AttachmentId,
    code: z.enum(['UNSUPPORTED_MEDIA', 'TOO_LARGE', 'INTERNAL']),
    detail: z.string(),
  }),
]);
export type AttachmentStatus = z.infer<typeof AttachmentStatus>;

const Text = z
  .string()
  .min(1)
  .max(MAX_TEXT_LENGTH)
  .refine((text) => text.trim() !== '', 'is blank');
const Caption = z.string().min(1).max(MAX_CAPTION_LENGTH);

/** What a sender hands in. Attachments were uploaded before and are named by id. */
export const MessageDraft = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: Text }),
  z.strictObject({ type: z.literal('image'), attachmentId: AttachmentId, caption: Caption.optional() }),
  z.strictObject({ type: z.literal('voice'), attachmentId: AttachmentId }),
  z.strictObject({ type: z.literal('file'), attachmentId: AttachmentId, caption: Caption.optional() }),
]);
export type MessageDraft = z.infer<typeof MessageDraft>;

/** What everybody in the consultation reads. */
export const MessageContent = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string() }),
  z.strictObject({ type: z.literal('image'), attachment: Attachment, caption: z.string().optional() }),
  z.strictObject({ type: z.literal('voice'), attachment: Attachment }),
  z.strictObject({ type: z.literal('file'), attachment: Attachment, caption: z.string().optional() }),
]);
export type MessageContent = z.infer<typeof MessageContent>;

export const CallMedia = z.enum(['voice', 'video']);
export type CallMedia = z.infer<typeof CallMedia>;

export const CallEndReason = z.enum([
  'completed',
  'cancelled',
  'declined',
  'busy',
  'no_answer',
  'failed',
  'lost',
]);
export type CallEndReason = z.infer<typeof CallEndReason>;

const entryBase = {
  consultationId: ConsultationId,
  sequence: Sequence,
  at: Moment,
  /** Who did it; null when the server or the host application did. */
  by: PersonId.nullable(),
};

/**
 * The thread: durable facts of a consultation, numbered without gaps. What the client saw live and what it
 * fetches later are the same objects, so catching up is reading the numbers that are missing.
 */
export const Entry = z.discriminatedUnion('kind', [
  z.strictObject({ ...entryBase, kind: z.literal('consultation.requested') }),
  z.strictObject({ ...entryBase, kind: z.literal('consultation.waiting') }),
  z.strictObject({ ...entryBase, kind: z.literal('consultation.accepted') }),
  z.strictObject({
    ...entryBase,
    kind: z.literal('consultation.ended'),
    reason: ConsultationEndReason,
    note: z.string().optional(),
  }),
  z.strictObject({
    ...entryBase,
    kind: z.literal('message.sent'),
    messageId: MessageId,
    clientMessageId: ClientMessageId,
    content: MessageContent,
  }),
  z.strictObject({ ...entryBase, kind: z.literal('call.started'), callId: CallId, media: CallMedia }),
  z.strictObject({ ...entryBase, kind: z.literal('call.answered'), callId: CallId }),
  z.strictObject({ ...entryBase, kind: z.literal('call.mediaChanged'), callId: CallId, media: CallMedia }),
  z.strictObject({
    ...entryBase,
    kind: z.literal('call.ended'),
    callId: CallId,
    reason: CallEndReason,
    /** Time from answer to end in milliseconds; 0 when nobody answered. */
    durationMs: z.int().min(0),
  }),
]);
export type Entry = z.infer<typeof Entry>;
export type EntryKind = Entry['kind'];
export type MessageEntry = Extract<Entry, { kind: 'message.sent' }>;

export const ConsultationView = z.strictObject({
  consultationId: ConsultationId,
  phase: ConsultationPhase,
  endReason: ConsultationEndReason.nullable(),
  participants: z.array(Participant),
  createdAt: Moment,
  lastSequence: Sequence,
});
export type ConsultationView = z.infer<typeof ConsultationView>;

export const SeatState = z.enum(['invited', 'connecting', 'present', 'reconnecting', 'left']);
export type SeatState = z.infer<typeof SeatState>;

/** A person's place in a call, independent of any socket. */
export const SeatView = z.strictObject({
  personId: PersonId,
  state: SeatState,
  /** The device that holds the seat; null while the person has not answered. */
  deviceId: DeviceId.nullable(),
  microphoneOn: z.boolean(),
  cameraOn: z.boolean(),
  /** When the present state began. */
  since: Moment,
});
export type SeatView = z.infer<typeof SeatView>;

export const CallState = z.enum(['ringing', 'connecting', 'live', 'ended']);
export type CallState = z.infer<typeof CallState>;

export const CallView = z.strictObject({
  callId: CallId,
  consultationId: ConsultationId,
  media: CallMedia,
  state: CallState,
  startedBy: PersonId,
  startedAt: Moment,
  /** When the ring times out; null once it no longer rings. */
  ringUntil: Moment.nullable(),
  answeredAt: Moment.nullable(),
  endReason: CallEndReason.nullable(),
  seats: z.array(SeatView),
  /** Rises with every change, so that a late fact never overwrites a newer one. */
  revision: z.int().min(0),
});
export type CallView = z.infer<typeof CallView>;
