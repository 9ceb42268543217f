import type { ConsultationId, Entry, EntryKind, PersonId, PushPayload } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';

/** Somebody whom the host application should tell by means of its own (APNs, FCM, a vendor’s push). */
export interface ToNotify {
  readonly personId: PersonId;
  readonly kind: PushPayload['kind'];
  readonly payload: PushPayload;
}

/** The body of a webhook. docs/WEBHOOKS.md describes each type. */
export interface WebhookEvent {
  readonly type: EntryKind;
  readonly consultationId: ConsultationId;
  /** Its place in the thread: 1, 2, 3 … without gaps. */
  readonly sequence: number;
  /** When it happened, milliseconds since 1970. */
  readonly at: number;
  /** Who did it; null for the server or the host application. */
  readonly by: PersonId | null;
  readonly data: Readonly<Record<string, string | number | boolean>>;
  readonly notify: readonly ToNotify[];
}

/** The same for every attempt, so that the receiver can tell a repeat. */
export const webhookId = ({ consultationId, sequence }: Pick<Entry, 'consultationId' | 'sequence'>): string =>
  `${consultationId}:${sequence}`;

export function webhookEvent(entry: Entry, notify: readonly ToNotify[]): WebhookEvent {
  const { kind: type, consultationId, sequence, at, by } = entry;
  return { type, consultationId, sequence, at, by, data: dataOf(entry), notify };
}

/** Ids, moments, closed reasons and roles. What was said, names, notes, why somebody is followed up, files and forms stay: the receiver asks for them by id. */
function dataOf(entry: Entry): WebhookEvent['data'] {
  switch (entry.kind) {
    case 'consultation.requested':
    case 'consultation.waiting':
    case 'consultation.accepted':
      return {};
    case 'consultation.ended': {
      const { reason, declineReason } = entry;
      return { reason, ...(declineReason === undefined ? {} : { declineReason }) };
    }
    case 'consultation.subjectSet':
      return { forAnother: entry.subject !== null };
    case 'participant.joined':
      return { personId: entry.personId, role: entry.role };
    case 'participant.left':
      return { personId: entry.personId, reason: entry.reason };
    case 'message.sent': {
      const { messageId, content, replyTo } = entry;
      return {
        messageId,
        content: content.type,
        ...('attachment' in content ? { attachmentId: content.attachment.attachmentId } : {}),
        ...(replyTo === undefined ? {} : { replyTo }),
      };
    }
    case 'message.recalled':
    case 'message.removed':
      return { target: entry.target, messageId: entry.messageId };
    case 'call.started':
    case 'call.mediaChanged':
      return { callId: entry.callId, media: entry.media };
    case 'call.answered':
      return { callId: entry.callId };
    case 'call.invited':
      return { callId: entry.callId, personId: entry.personId };
    case 'call.left':
      return { callId: entry.callId, personId: entry.personId, reason: entry.reason };
    case 'call.ended':
      return { callId: entry.callId, reason: entry.reason, durationMs: entry.durationMs };
    case 'recording.asked':
      return { callId: entry.callId, recordingId: entry.recordingId };
    case 'recording.agreed':
    case 'recording.started':
    case 'recording.paused':
    case 'recording.resumed':
      return { recordingId: entry.recordingId };
    case 'recording.stopped':
      return { recordingId: entry.recordingId, reason: entry.reason };
    case 'note.signed': {
      const { noteId, purpose, followUpId } = entry;
      return { noteId, purpose, ...(followUpId === undefined ? {} : { followUpId }) };
    }
    case 'note.added':
      return { noteId: entry.noteId, addition: entry.addition };
    case 'followUp.planned':
    case 'followUp.changed':
      return { followUpId: entry.followUpId, dueAt: entry.dueAt };
    case 'followUp.cancelled':
    case 'followUp.due':
    case 'followUp.begun':
      return { followUpId: entry.followUpId };
    case 'followUp.completed': {
      const { followUpId, outcome, noteId } = entry;
      return { followUpId, outcome, ...(noteId === undefined ? {} : { noteId }) };
    }
    case 'contact.changed':
      return { refused: entry.refused };
    case 'phone.bound':
      return { bindingId: entry.bindingId, expiresAt: entry.expiresAt };
    case 'phone.unbound':
      return { bindingId: entry.bindingId, reason: entry.reason };
    case 'phone.callStarted':
      return { bindingId: entry.bindingId, phoneCallId: entry.phoneCallId };
    case 'phone.callAnswered':
      return { phoneCallId: entry.phoneCallId };
    case 'phone.callEnded':
      return {
        phoneCallId: entry.phoneCallId,
        reason: entry.reason,
        talkMs: entry.talkMs,
        ...(entry.notRecorded !== undefined && { notRecorded: entry.notRecorded }),
      };
    case 'phone.refused':
      return { personId: entry.personId, refused: entry.refused };
    default:
      return unreachable(entry);
  }
}
