import type { AttachmentId, ClientMessageId, MessageDraft } from '@teleconsult/protocol';
import type { AppError } from '@teleconsult/protocol/errors';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { OutgoingDraft, OutgoingMessage } from './api.ts';
import { contentOf, uploadsOf } from './drafts.ts';
import type { UploadProgress } from './uploads.ts';

/** The messages of this device that are not yet in the thread, in the order in which they are going to be. */
export type Outbox = readonly OutboxItem[];

export interface OutboxItem {
  readonly clientMessageId: ClientMessageId;
  readonly draft: OutgoingDraft;
  /** Sequence of the message that this one answers. */
  readonly replyTo: number | null;
  readonly queuedAt: number;
  /** Rises along the outbox, and is kept with the message. */
  readonly order: number;
  /** How often it was handed to the connection. Once it was, the server may have it. */
  readonly attempts: number;
  /** It was written before this page was loaded. Whether another page has sent it meanwhile is not known. */
  readonly restored: boolean;
  readonly stage: OutboxStage;
}

/**
 * `uploading` → `ready` → `sending` → `sent`, and out once its entry is held; a text begins `ready`. `sending`
 * falls back to `ready` when no answer came. `failed` waits for the app.
 */
export type OutboxStage =
  | ResumePoint
  | { readonly kind: 'sending'; readonly content: MessageDraft }
  | { readonly kind: 'sent'; readonly sequence: number }
  | { readonly kind: 'failed'; readonly error: AppError; readonly resumeFrom: ResumePoint };

/** Where a message goes on when it is tried again: nothing that has arrived is uploaded twice. */
export type ResumePoint =
  | { readonly kind: 'uploading'; readonly parts: readonly UploadPart[] }
  | { readonly kind: 'ready'; readonly content: MessageDraft };

/** One attachment of a message, in the order of `uploadsOf`. */
export type UploadPart =
  | { readonly kind: 'missing'; readonly upload: UploadProgress | null }
  | { readonly kind: 'there'; readonly attachmentId: AttachmentId };

export type OutboxEvent =
  | { readonly kind: 'uploadAdvanced'; readonly part: number; readonly upload: UploadProgress }
  | { readonly kind: 'uploaded'; readonly part: number; readonly attachmentId: AttachmentId }
  | { readonly kind: 'sendStarted' }
  | { readonly kind: 'sendUnanswered' }
  | { readonly kind: 'acknowledged'; readonly sequence: number }
  /** The server does not know what was uploaded for it any more. */
  | { readonly kind: 'attachmentsLost' }
  | { readonly kind: 'failed'; readonly error: AppError };

/** Messages that may wait. More than this is no conversation but a loop in the app. */
export const MAX_OUTBOX = 500;
/** What attachments that wait may take on the device, in bytes: browsers begin to refuse not far above it. */
export const MAX_OUTBOX_BYTES = 200 * 1024 * 1024;

/** Where a message begins. */
export function firstStage(draft: OutgoingDraft): ResumePoint {
  const uploads = uploadsOf(draft);
  if (uploads.length === 0) return { kind: 'ready', content: contentOf(draft, []) };
  return { kind: 'uploading', parts: uploads.map(() => ({ kind: 'missing', upload: null })) };
}

export function queue(outbox: Outbox, item: OutboxItem): Outbox {
  return [...outbox, item];
}

export function remove(outbox: Outbox, id: ClientMessageId): Outbox {
  return outbox.filter((item) => item.clientMessageId !== id);
}

/** A failed message goes to the end: it is sent as if the app had sent it now. */
export function retry(outbox: Outbox, id: ClientMessageId): Outbox {
  const item = find(outbox, id);
  if (item?.stage.kind !== 'failed') return outbox;
  return [...remove(outbox, id), { ...item, order: nextOrder(outbox), stage: item.stage.resumeFrom }];
}

/** Messages of an earlier page take their places among those of this one. */
export function restore(outbox: Outbox, items: readonly OutboxItem[]): Outbox {
  const held = new Set(outbox.map(({ clientMessageId }) => clientMessageId));
  const missing = items.filter(({ clientMessageId }) => !held.has(clientMessageId));
  return missing.length === 0 ? outbox : [...outbox, ...missing].sort((a, b) => a.order - b.order);
}

/** Also among pages of one browser the later message has the greater number, as far as their clock tells. */
export function nextOrder(outbox: Outbox): number {
  return Math.max(Date.now(), (outbox.at(-1)?.order ?? 0) + 1);
}

/** An event that does not fit the stage of its message changes nothing. */
export function step(outbox: Outbox, id: ClientMessageId, event: OutboxEvent): Outbox {
  return outbox.map((item) => (item.clientMessageId === id ? advance(item, event) : item));
}

export function find(outbox: Outbox, id: ClientMessageId): OutboxItem | undefined {
  return outbox.find((item) => item.clientMessageId === id);
}

/**
 * The message whose turn it is, if it can be sent now. The first that has neither failed nor been sent has the
 * turn; while it is still uploading or on its way, those behind it wait.
 */
export function nextToSend(outbox: Outbox): OutboxItem | null {
  const first = outbox.find(({ stage }) => stage.kind !== 'failed' && stage.kind !== 'sent');
  return first?.stage.kind === 'ready' ? first : null;
}

/** Messages whose entries are held: the thread shows them now. */
export function shownUpTo(outbox: Outbox, lastSequence: number): readonly ClientMessageId[] {
  return outbox
    .filter(({ stage }) => stage.kind === 'sent' && stage.sequence <= lastSequence)
    .map(({ clientMessageId }) => clientMessageId);
}

/** Where the message would go on if this page were gone now; null when there is nothing left to do. */
export function resumePointOf(stage: OutboxStage): ResumePoint | null {
  switch (stage.kind) {
    case 'uploading':
    case 'ready':
      return stage;
    case 'sending':
      return { kind: 'ready', content: stage.content };
    case 'failed':
      return stage.resumeFrom;
    case 'sent':
      return null;
    default:
      return unreachable(stage);
  }
}

/** As the app sees it. A message that waits for its turn is `sending`. */
export function toOutgoing(item: OutboxItem): OutgoingMessage {
  const { clientMessageId, draft, attempts, queuedAt, replyTo, stage } = item;
  const shown = { clientMessageId, draft, attempts, queuedAt, replyTo, error: null, progress: 1 };
  switch (stage.kind) {
    case 'uploading':
      return { ...shown, state: 'uploading', progress: progressOf(item, stage) };
    case 'ready':
    case 'sending':
      return { ...shown, state: 'sending' };
    case 'sent':
      return { ...shown, state: 'sent' };
    case 'failed':
      return { ...shown, state: 'failed', error: stage.error, progress: progressOf(item, stage.resumeFrom) };
    default:
      return unreachable(stage);
  }
}

/** The share of all bytes that has arrived. */
function progressOf({ draft }: OutboxItem, point: ResumePoint): number {
  if (point.kind === 'ready') return 1;
  let total = 0;
  let arrived = 0;
  for (const [index, { data }] of uploadsOf(draft).entries()) {
    const part = point.parts[index];
    total += data.size;
    arrived += data.size * (part?.kind === 'there' ? 1 : (part?.upload?.share ?? 0));
  }
  return total === 0 ? 0 : arrived / total;
}

function advance(item: OutboxItem, event: OutboxEvent): OutboxItem {
  const { stage } = item;
  switch (event.kind) {
    case 'uploadAdvanced':
      return withPart(item, event.part, { kind: 'missing', upload: event.upload });
    case 'uploaded':
      return withPart(item, event.part, { kind: 'there', attachmentId: event.attachmentId });
    case 'sendStarted':
      return stage.kind === 'ready'
        ? { ...item, attempts: item.attempts + 1, stage: { kind: 'sending', content: stage.content } }
        : item;
    case 'sendUnanswered':
      return stage.kind === 'sending' ? { ...item, stage: { kind: 'ready', content: stage.content } } : item;
    case 'acknowledged':
      return stage.kind === 'sending' ? { ...item, stage: { kind: 'sent', sequence: event.sequence } } : item;
    case 'attachmentsLost':
      // Only once: what this page uploads is not lost again.
      return stage.kind === 'sending' ? { ...item, restored: false, stage: firstStage(item.draft) } : item;
    case 'failed':
      return fail(item, event.error);
    default:
      return unreachable(event);
  }
}

/** What has arrived stays so; with the last attachment the message is ready. */
function withPart(item: OutboxItem, index: number, part: UploadPart): OutboxItem {
  const { stage, draft } = item;
  if (stage.kind !== 'uploading' || stage.parts[index]?.kind !== 'missing') return item;
  const parts = stage.parts.with(index, part);
  const there = parts.flatMap((one) => (one.kind === 'there' ? [one.attachmentId] : []));
  if (there.length < parts.length) return { ...item, stage: { kind: 'uploading', parts } };
  return { ...item, stage: { kind: 'ready', content: contentOf(draft, there) } };
}

function fail(item: OutboxItem, error: AppError): OutboxItem {
  const resumeFrom = item.stage.kind === 'failed' ? null : resumePointOf(item.stage);
  return resumeFrom === null ? item : { ...item, stage: { kind: 'failed', error, resumeFrom } };
}
