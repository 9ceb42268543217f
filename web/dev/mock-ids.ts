import type {
  AttachmentId,
  CallId,
  ClientMessageId,
  ConsultationId,
  DeviceId,
  FileId,
  FollowUpId,
  MessageId,
  NoteId,
  PersonId,
  PhoneBindingId,
  PhoneCallId,
  RecordingId,
} from '@teleconsult/protocol';

let last = 0;
const next = (): string => {
  last += 1;
  return String(last).padStart(22, '0');
};

export const consultationId = (): ConsultationId => `cns_${next()}` as ConsultationId;
export const messageId = (): MessageId => `msg_${next()}` as MessageId;
export const callId = (): CallId => `cal_${next()}` as CallId;
export const attachmentId = (): AttachmentId => `att_${next()}` as AttachmentId;
export const clientMessageId = (): ClientMessageId => `mock-${next()}` as ClientMessageId;
export const recordingId = (): RecordingId => `rec_${next()}` as RecordingId;
export const fileId = (): FileId => `fil_${next()}` as FileId;
export const noteId = (): NoteId => `not_${next()}` as NoteId;
export const followUpId = (): FollowUpId => `fup_${next()}` as FollowUpId;
export const phoneBindingId = (): PhoneBindingId => `pbd_${next()}` as PhoneBindingId;
export const phoneCallId = (): PhoneCallId => `pcl_${next()}` as PhoneCallId;
export const deviceId = (name: string): DeviceId => `device-${name}` as DeviceId;
export const personId = (name: string): PersonId => name as PersonId;
