import type {
  AttachmentId,
  CallId,
  ClientMessageId,
  ConsultationId,
  DeviceId,
  MessageId,
  PersonId,
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
export const deviceId = (name: string): DeviceId => `device-${name}` as DeviceId;
export const personId = (name: string): PersonId => name as PersonId;
