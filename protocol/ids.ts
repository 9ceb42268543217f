import { z } from 'zod';

const minted = (prefix: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9A-Za-z]{22}$`))
    .meta({ description: `An id the server made: "${prefix}_" and 22 letters or digits.` });

export const ConsultationId = minted('cns').brand<'ConsultationId'>();
export type ConsultationId = z.infer<typeof ConsultationId>;

export const MessageId = minted('msg').brand<'MessageId'>();
export type MessageId = z.infer<typeof MessageId>;

export const CallId = minted('cal').brand<'CallId'>();
export type CallId = z.infer<typeof CallId>;

export const AttachmentId = minted('att').brand<'AttachmentId'>();
export type AttachmentId = z.infer<typeof AttachmentId>;

export const InvitationId = minted('inv').brand<'InvitationId'>();
export type InvitationId = z.infer<typeof InvitationId>;

export const CheckId = minted('chk').brand<'CheckId'>();
export type CheckId = z.infer<typeof CheckId>;

export const RecordingId = minted('rec').brand<'RecordingId'>();
export type RecordingId = z.infer<typeof RecordingId>;

/** One file of a recording. */
export const FileId = minted('fil').brand<'FileId'>();
export type FileId = z.infer<typeof FileId>;

export const NoteId = minted('not').brand<'NoteId'>();
export type NoteId = z.infer<typeof NoteId>;

export const FollowUpId = minted('fup').brand<'FollowUpId'>();
export type FollowUpId = z.infer<typeof FollowUpId>;

/** A relay number that belongs to a visit for a while. */
export const PhoneBindingId = minted('pbd').brand<'PhoneBindingId'>();
export type PhoneBindingId = z.infer<typeof PhoneBindingId>;

/** One call through a relay number. */
export const PhoneCallId = minted('pcl').brand<'PhoneCallId'>();
export type PhoneCallId = z.infer<typeof PhoneCallId>;

/** What a QR code or link carries: whoever holds it may accept the invitation, once. Never logged, stored as a hash. */
export const InvitationCode = z
  .string()
  .regex(/^[0-9A-Za-z]{32}$/)
  .brand<'InvitationCode'>()
  .meta({ description: 'The secret of an invitation: 32 letters or digits.' });
export type InvitationCode = z.infer<typeof InvitationCode>;

/** Lets one device take its own seat of one call again, once. Never logged, stored as a hash. */
export const ResumeTicket = z
  .string()
  .regex(/^[0-9A-Za-z]{32}$/)
  .brand<'ResumeTicket'>()
  .meta({ description: 'The secret of a seat: 32 letters or digits.' });
export type ResumeTicket = z.infer<typeof ResumeTicket>;

/** A person as the host application names them: opaque here, never a phone number or a name. */
export const PersonId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/)
  .brand<'PersonId'>()
  .meta({ description: 'The host application’s id of a person, 1–64 characters of A–Z a–z 0–9 . _ : -' });
export type PersonId = z.infer<typeof PersonId>;

/** One running SDK of a person. Chosen by the SDK once and kept. */
export const DeviceId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{8,64}$/)
  .brand<'DeviceId'>()
  .meta({ description: 'The SDK’s id of this installation, 8–64 characters of A–Z a–z 0–9 _ -' });
export type DeviceId = z.infer<typeof DeviceId>;

/** Makes a send idempotent: the same id with the same content is one message. Unique per person and consultation. */
export const ClientMessageId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{8,64}$/)
  .brand<'ClientMessageId'>()
  .meta({ description: 'The sender’s id of a message, 8–64 characters of A–Z a–z 0–9 _ -' });
export type ClientMessageId = z.infer<typeof ClientMessageId>;

/** The number of a fact in its consultation: 1, 2, 3 … without gaps. */
export const Sequence = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** A moment in milliseconds since 1970-01-01 UTC, by the server's clock. */
export const Moment = z.int().min(0);
