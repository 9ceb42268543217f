import { randomBytes } from 'node:crypto';
import {
  CallId,
  type CallView,
  ClientMessageId,
  ConsultationId,
  type ConsultationView,
  DeviceId,
  type MessageEntry,
  MessageId,
  PersonId,
} from '@teleconsult/protocol';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export const patient = PersonId.parse('patient-1');
export const doctor = PersonId.parse('doctor-1');

export function minted(prefix: 'cns' | 'msg' | 'cal' | 'att'): string {
  return `${prefix}_${Array.from(randomBytes(22), (byte) => ALPHABET[byte % ALPHABET.length]).join('')}`;
}

/** A token as a host application signs them, but for the signature. */
export function tokenFor(personId: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256' })}.${part({ sub: personId, scope: 'participant' })}.signature`;
}

export function consultationView(changes: Partial<ConsultationView> = {}): ConsultationView {
  return {
    consultationId: ConsultationId.parse(minted('cns')),
    phase: 'active',
    endReason: null,
    participants: [
      { personId: patient, role: 'patient', displayName: 'A' },
      { personId: doctor, role: 'doctor', displayName: 'B' },
    ],
    createdAt: 1,
    lastSequence: 0,
    ...changes,
  };
}

export function textEntry(
  sequence: number,
  {
    consultationId,
    by = doctor,
    text = `text ${sequence}`,
    clientMessageId = `client-message-${sequence}`,
  }: {
    consultationId: string;
    by?: PersonId;
    text?: string;
    clientMessageId?: string;
  },
): MessageEntry {
  return {
    kind: 'message.sent',
    consultationId: ConsultationId.parse(consultationId),
    sequence,
    at: sequence,
    by,
    messageId: MessageId.parse(minted('msg')),
    clientMessageId: ClientMessageId.parse(clientMessageId),
    content: { type: 'text', text },
  };
}

/** A ringing call from the doctor, before anybody answered. */
export function ringingCall(consultationId: ConsultationId, changes: Partial<CallView> = {}): CallView {
  const seat = { microphoneOn: true, cameraOn: changes.media === 'video', since: 1 };
  return {
    callId: CallId.parse(minted('cal')),
    consultationId,
    media: 'voice',
    state: 'ringing',
    startedBy: doctor,
    startedAt: 1,
    ringUntil: 45_000,
    answeredAt: null,
    endReason: null,
    seats: [
      { personId: doctor, state: 'connecting', deviceId: DeviceId.parse('device-of-doctor'), ...seat },
      { personId: patient, state: 'invited', deviceId: null, ...seat },
    ],
    revision: 1,
    ...changes,
  };
}
