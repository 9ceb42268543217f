import { randomInt } from 'node:crypto';
import type { AttachmentId, CallId, ConsultationId, MessageId } from '@teleconsult/protocol';
import type { IdGenerator } from './ports.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 22 of 62 symbols carry 131 bits: nobody guesses one. */
const LENGTH = 22;

function mint<Id extends string>(prefix: string): Id {
  let id = `${prefix}_`;
  for (let i = 0; i < LENGTH; i++) id += ALPHABET[randomInt(ALPHABET.length)];
  return id as Id;
}

export const randomIds: IdGenerator = {
  consultationId: () => mint<ConsultationId>('cns'),
  messageId: () => mint<MessageId>('msg'),
  callId: () => mint<CallId>('cal'),
  attachmentId: () => mint<AttachmentId>('att'),
};
