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

export function minted(
  prefix: 'cns' | 'msg' | 'cal' | 'att' | 'inv' | 'chk' | 'rec' | 'fil' | 'not' | 'fup',
): string {
  return `${prefix}_${Array.from(randomBytes(22), (byte) => ALPHABET[byte % ALPHABET.length]).join('')}`;
}

/** A token as a host application signs them, but for the signature. Tokens of one person differ by their id. */
export function tokenFor(personId: string, tokenId = 'token-1'): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256' })}.${part({ sub: personId, scope: 'participant', jti: tokenId })}.signature`;
}

export function consultationView(changes: Partial<ConsultationView> = {}): ConsultationView {
  return {
    consultationId: ConsultationId.parse(minted('cns')),
    kind: 'visit',
    phase: 'active',
    phaseSince: 1,
    endReason: null,
    declineReason: null,
    requestedBy: null,
    subject: null,
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
  const seat = {
    microphoneOn: true,
    cameraOn: changes.media === 'video',
    screenOn: false,
    mutedBy: null,
    view: 'full',
    interrupted: false,
    ringUntil: null,
    callWaiting: false,
    phone: false,
    leftReason: null,
    returnUntil: null,
    since: 1,
  } as const;
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
      { personId: patient, state: 'invited', deviceId: null, ...seat, ringUntil: 45_000 },
    ],
    recording: null,
    revision: 1,
    ...changes,
  };
}
