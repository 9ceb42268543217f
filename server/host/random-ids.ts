import { randomInt } from 'node:crypto';
import type {
  AttachmentId,
  CallId,
  CheckId,
  ConsultationId,
  FileId,
  FollowUpId,
  InvitationCode,
  InvitationId,
  MessageId,
  NoteId,
  PhoneBindingId,
  PhoneCallId,
  RecordingId,
  ResumeTicket,
} from '@teleconsult/protocol';
import type { IdGenerator } from './ports.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 22 of 62 symbols carry 131 bits: nobody guesses one. */
const LENGTH = 22;

/** A secret that stands alone is longer: 190 bits. */
const CODE_LENGTH = 32;

const mint = <Id extends string>(prefix: string): Id => `${prefix}_${letters(LENGTH)}` as Id;

function letters(count: number): string {
  let text = '';
  for (let i = 0; i < count; i++) text += ALPHABET[randomInt(ALPHABET.length)];
  return text;
}

export const randomIds: IdGenerator = {
  consultationId: () => mint<ConsultationId>('cns'),
  messageId: () => mint<MessageId>('msg'),
  callId: () => mint<CallId>('cal'),
  attachmentId: () => mint<AttachmentId>('att'),
  invitationId: () => mint<InvitationId>('inv'),
  invitationCode: () => letters(CODE_LENGTH) as InvitationCode,
  checkId: () => mint<CheckId>('chk'),
  resumeTicket: () => letters(CODE_LENGTH) as ResumeTicket,
  recordingId: () => mint<RecordingId>('rec'),
  fileId: () => mint<FileId>('fil'),
  noteId: () => mint<NoteId>('not'),
  followUpId: () => mint<FollowUpId>('fup'),
  phoneBindingId: () => mint<PhoneBindingId>('pbd'),
  phoneCallId: () => mint<PhoneCallId>('pcl'),
};
