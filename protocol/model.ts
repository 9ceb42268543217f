import { z } from 'zod';
import { Attachment, DisplayName } from './attachment.ts';
import { entryBase } from './entry-base.ts';
import { FollowUpOutcome } from './follow-up.ts';
import { ConsultationForm, ConsultationFormDraft, Subject } from './form.ts';
import {
  AttachmentId,
  CallId,
  ClientMessageId,
  ConsultationId,
  DeviceId,
  FollowUpId,
  MessageId,
  Moment,
  NoteId,
  PersonId,
  RecordingId,
  Sequence,
} from './ids.ts';
import { MAX_CAPTION_LENGTH, MAX_TEXT_LENGTH } from './limits.ts';
import { phoneEntries } from './phone-entries.ts';
import { CallRecording, DictationPurpose, RecordingStopReason } from './recording.ts';

/** `patient` and `doctor` hold the visit; the others were drawn in. In a thread of colleagues all are `doctor`, in a health channel one alone. */
export const ParticipantRole = z.enum(['patient', 'doctor', 'colleague', 'relative', 'interpreter']);
export type ParticipantRole = z.infer<typeof ParticipantRole>;

/** Roles a person can be drawn in with. */
export const GuestRole = z.enum(['colleague', 'relative', 'interpreter']);
export type GuestRole = z.infer<typeof GuestRole>;

/** A visit of a patient, a thread between doctors, or the place where one doctor alone records clips for publication. */
export const ConsultationKind = z.enum(['visit', 'colleagues', 'health_channel']);
export type ConsultationKind = z.infer<typeof ConsultationKind>;

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

/** Why a doctor declined, for the person to act on. */
export const DeclineReason = z.enum([
  'other_department',
  'see_a_doctor_in_person',
  'emergency',
  'more_information_needed',
  'no_time',
  'other',
]);
export type DeclineReason = z.infer<typeof DeclineReason>;

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
  /** The consultation form; the patient's alone. Its pictures and documents were uploaded before. */
  z.strictObject({ type: z.literal('form'), form: ConsultationFormDraft }),
]);
export type MessageDraft = z.infer<typeof MessageDraft>;

/** What everybody in the consultation reads. */
export const MessageContent = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string() }),
  z.strictObject({ type: z.literal('image'), attachment: Attachment, caption: z.string().optional() }),
  z.strictObject({ type: z.literal('voice'), attachment: Attachment }),
  z.strictObject({ type: z.literal('file'), attachment: Attachment, caption: z.string().optional() }),
  z.strictObject({ type: z.literal('form'), form: ConsultationForm }),
  /** What is left of a message that its sender recalled or the host application removed. */
  z.strictObject({ type: z.literal('withdrawn'), how: z.enum(['recalled', 'removed']) }),
]);
export type MessageContent = z.infer<typeof MessageContent>;

export const CallMedia = z.enum(['voice', 'video']);
export type CallMedia = z.infer<typeof CallMedia>;

/** Another device of the same person is told `answered_elsewhere` or `declined_elsewhere` by the SDK, from the seat. */
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

/** Why a seat was left. */
export const SeatLeftReason = z.enum(['hung_up', 'declined', 'no_answer', 'busy', 'lost', 'removed']);
export type SeatLeftReason = z.infer<typeof SeatLeftReason>;

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
    declineReason: DeclineReason.optional(),
    note: z.string().optional(),
  }),
  /** For whom the visit is, when that is not the patient's account; with the authorisation that was given. */
  z.strictObject({ ...entryBase, kind: z.literal('consultation.subjectSet'), subject: Subject.nullable() }),
  z.strictObject({
    ...entryBase,
    kind: z.literal('participant.joined'),
    personId: PersonId,
    role: ParticipantRole,
    displayName: DisplayName,
  }),
  z.strictObject({
    ...entryBase,
    kind: z.literal('participant.left'),
    personId: PersonId,
    reason: z.enum(['left', 'removed']),
  }),
  z.strictObject({
    ...entryBase,
    kind: z.literal('message.sent'),
    messageId: MessageId,
    clientMessageId: ClientMessageId,
    content: MessageContent,
    /** The message this one answers. */
    replyTo: Sequence.optional(),
  }),
  /** The sender took a message back; it is `withdrawn` wherever it is read from then on. */
  z.strictObject({
    ...entryBase,
    kind: z.literal('message.recalled'),
    target: Sequence,
    messageId: MessageId,
  }),
  /** The host application took a message out (moderation). */
  z.strictObject({
    ...entryBase,
    kind: z.literal('message.removed'),
    target: Sequence,
    messageId: MessageId,
    reason: z.string().optional(),
  }),
  z.strictObject({ ...entryBase, kind: z.literal('call.started'), callId: CallId, media: CallMedia }),
  z.strictObject({ ...entryBase, kind: z.literal('call.answered'), callId: CallId }),
  /** One more person is rung in a running call. */
  z.strictObject({ ...entryBase, kind: z.literal('call.invited'), callId: CallId, personId: PersonId }),
  /** A person left a call that goes on without them, or did not take part in it. */
  z.strictObject({
    ...entryBase,
    kind: z.literal('call.left'),
    callId: CallId,
    personId: PersonId,
    reason: SeatLeftReason,
  }),
  z.strictObject({ ...entryBase, kind: z.literal('call.mediaChanged'), callId: CallId, media: CallMedia }),
  z.strictObject({
    ...entryBase,
    kind: z.literal('call.ended'),
    callId: CallId,
    reason: CallEndReason,
    /** Time from answer to end in milliseconds; 0 when nobody answered. */
    durationMs: z.int().min(0),
  }),
  /** Somebody asks to record the call; nothing is recorded yet. */
  z.strictObject({
    ...entryBase,
    kind: z.literal('recording.asked'),
    callId: CallId,
    recordingId: RecordingId,
  }),
  /** `by` agreed to be recorded. */
  z.strictObject({ ...entryBase, kind: z.literal('recording.agreed'), recordingId: RecordingId }),
  /** Everybody in the call had agreed, and the recording began. */
  z.strictObject({ ...entryBase, kind: z.literal('recording.started'), recordingId: RecordingId }),
  z.strictObject({ ...entryBase, kind: z.literal('recording.paused'), recordingId: RecordingId }),
  z.strictObject({ ...entryBase, kind: z.literal('recording.resumed'), recordingId: RecordingId }),
  z.strictObject({
    ...entryBase,
    kind: z.literal('recording.stopped'),
    recordingId: RecordingId,
    reason: RecordingStopReason,
  }),
  z.strictObject({
    ...entryBase,
    kind: z.literal('note.signed'),
    noteId: NoteId,
    purpose: DictationPurpose,
    followUpId: FollowUpId.optional(),
  }),
  /** Something was added to a signed note. */
  z.strictObject({ ...entryBase, kind: z.literal('note.added'), noteId: NoteId, addition: z.int().min(1) }),
  z.strictObject({
    ...entryBase,
    kind: z.literal('followUp.planned'),
    followUpId: FollowUpId,
    dueAt: Moment,
    reason: z.string(),
  }),
  z.strictObject({
    ...entryBase,
    kind: z.literal('followUp.changed'),
    followUpId: FollowUpId,
    dueAt: Moment,
    reason: z.string(),
  }),
  z.strictObject({ ...entryBase, kind: z.literal('followUp.cancelled'), followUpId: FollowUpId }),
  /** Its date has come. */
  z.strictObject({ ...entryBase, kind: z.literal('followUp.due'), followUpId: FollowUpId }),
  z.strictObject({ ...entryBase, kind: z.literal('followUp.begun'), followUpId: FollowUpId }),
  z.strictObject({
    ...entryBase,
    kind: z.literal('followUp.completed'),
    followUpId: FollowUpId,
    outcome: FollowUpOutcome,
    noteId: NoteId.optional(),
  }),
  /** The patient does not want to be contacted after the visit, or does so again. */
  z.strictObject({ ...entryBase, kind: z.literal('contact.changed'), refused: z.boolean() }),
  ...phoneEntries,
]);
export type Entry = z.infer<typeof Entry>;
export type EntryKind = Entry['kind'];
export type MessageEntry = Extract<Entry, { kind: 'message.sent' }>;

export const ConsultationView = z.strictObject({
  consultationId: ConsultationId,
  kind: ConsultationKind,
  phase: ConsultationPhase,
  /** When the present phase began. */
  phaseSince: Moment,
  endReason: ConsultationEndReason.nullable(),
  declineReason: DeclineReason.nullable(),
  /** The doctor who asked a colleague for a thread; null in a visit. */
  requestedBy: PersonId.nullable(),
  /** For whom the patient consults; null: for themselves. */
  subject: Subject.nullable(),
  participants: z.array(Participant),
  createdAt: Moment,
  lastSequence: Sequence,
});
export type ConsultationView = z.infer<typeof ConsultationView>;

/** A patient's place in a doctor's waiting room. */
export const QueuePlace = z.strictObject({
  consultationId: ConsultationId,
  /** 1 is next. */
  position: z.int().min(1),
  /** Expected wait in milliseconds, from the doctor's last visits; null while nothing is known. */
  estimateMs: z.int().min(0).nullable(),
});
export type QueuePlace = z.infer<typeof QueuePlace>;

/** How far a person has received and read a thread: positions that only rise. */
export const ThreadMarks = z.strictObject({
  personId: PersonId,
  delivered: Sequence,
  /** null while the person does not tell what they have read. */
  read: Sequence.nullable(),
});
export type ThreadMarks = z.infer<typeof ThreadMarks>;

/** What a person has not read: messages of others that are not withdrawn, after `read`. The same on all devices. */
export const Unread = z.strictObject({
  consultationId: ConsultationId,
  unread: z.int().min(0),
  read: Sequence,
});
export type Unread = z.infer<typeof Unread>;

export const TypingActivity = z.enum(['none', 'typing', 'recording']);
export type TypingActivity = z.infer<typeof TypingActivity>;

/** What a person has chosen, for all devices. */
export const Preferences = z.strictObject({
  /** Whether others see what this person has read. */
  readReceipts: z.boolean(),
  /** Which news may be pushed to devices whose app is closed. */
  push: z.strictObject({ calls: z.boolean(), messages: z.boolean(), consultations: z.boolean() }),
});
export type Preferences = z.infer<typeof Preferences>;
export const DEFAULT_PREFERENCES: Preferences = {
  readReceipts: true,
  push: { calls: true, messages: true, consultations: true },
};

export const SeatState = z.enum(['invited', 'connecting', 'present', 'reconnecting', 'left']);
export type SeatState = z.infer<typeof SeatState>;

/** How a device shows the call. `background` and `audio_only` receive no video. */
export const SeatViewMode = z.enum(['full', 'floating', 'background', 'audio_only']);
export type SeatViewMode = z.infer<typeof SeatViewMode>;

/** A person's place in a call, independent of any socket. */
export const SeatView = z.strictObject({
  personId: PersonId,
  state: SeatState,
  /** The device that holds the seat, or that declined or left it; null while the person has not answered. */
  deviceId: DeviceId.nullable(),
  microphoneOn: z.boolean(),
  cameraOn: z.boolean(),
  /** At most one seat of a call shares its screen. */
  screenOn: z.boolean(),
  /** Who muted this microphone for the person; null when they did it themselves or it is on. */
  mutedBy: PersonId.nullable(),
  view: SeatViewMode,
  /** True while a phone call on the device (GSM) or the system holds its microphone. */
  interrupted: z.boolean(),
  /** Until when an invited seat rings. */
  ringUntil: Moment.nullable(),
  /** Rings as a second call of a person who is in another one (call waiting). */
  callWaiting: z.boolean(),
  /** Takes part by telephone, or is rung there as well: `deviceId` is null while the telephone holds the seat. */
  phone: z.boolean(),
  leftReason: SeatLeftReason.nullable(),
  /** Until when a person who was lost can come back into this call; null for everybody else. */
  returnUntil: Moment.nullable(),
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
  /** null while nobody has asked to record it. */
  recording: CallRecording.nullable(),
  /** Rises with every change, so that a late fact never overwrites a newer one. */
  revision: z.int().min(0),
});
export type CallView = z.infer<typeof CallView>;
