import type { ClientMessageId, MessageDraft } from '@teleconsult/protocol';
import type { AppError } from '@teleconsult/protocol/errors';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { OutgoingDraft, OutgoingMessage } from './api.ts';
import type { UploadProgress } from './uploads.ts';

/** The messages of this device that are not yet in the thread, in the order in which they are going to be. */
export type Outbox = readonly OutboxItem[];

export interface OutboxItem {
  readonly clientMessageId: ClientMessageId;
  readonly draft: OutgoingDraft;
  readonly queuedAt: number;
  /** How often it was handed to the connection. Once it was, the server may have it. */
  readonly attempts: number;
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

/** Where a failed message goes on when it is tried again: nothing that has arrived is uploaded twice. */
export type ResumePoint =
  | { readonly kind: 'uploading'; readonly upload: UploadProgress | null }
  | { readonly kind: 'ready'; readonly content: MessageDraft };

export type OutboxEvent =
  | { readonly kind: 'uploadAdvanced'; readonly upload: UploadProgress }
  | { readonly kind: 'uploaded'; readonly content: MessageDraft }
  | { readonly kind: 'sendStarted' }
  | { readonly kind: 'sendUnanswered' }
  | { readonly kind: 'acknowledged'; readonly sequence: number }
  | { readonly kind: 'failed'; readonly error: AppError };

/** Messages that may wait. They are held in memory, and more than this is no conversation but a loop in the app. */
export const MAX_OUTBOX = 500;

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
  return [...remove(outbox, id), { ...item, stage: item.stage.resumeFrom }];
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

/** As the app sees it. A message that waits for its turn is `sending`. */
export function toOutgoing({ stage, ...item }: OutboxItem): OutgoingMessage {
  const { clientMessageId, draft, attempts, queuedAt } = item;
  const shown = { clientMessageId, draft, attempts, queuedAt, error: null, progress: 1 };
  switch (stage.kind) {
    case 'uploading':
      return { ...shown, state: 'uploading', progress: stage.upload?.share ?? 0 };
    case 'ready':
    case 'sending':
      return { ...shown, state: 'sending' };
    case 'sent':
      return { ...shown, state: 'sent' };
    case 'failed':
      return { ...shown, state: 'failed', error: stage.error, progress: progressOf(stage.resumeFrom) };
    default:
      return unreachable(stage);
  }
}

function progressOf(point: ResumePoint): number {
  return point.kind === 'ready' ? 1 : (point.upload?.share ?? 0);
}

function advance(item: OutboxItem, event: OutboxEvent): OutboxItem {
  const { stage } = item;
  switch (event.kind) {
    case 'uploadAdvanced':
      return stage.kind === 'uploading' ? { ...item, stage: { ...stage, upload: event.upload } } : item;
    case 'uploaded':
      return stage.kind === 'uploading'
        ? { ...item, stage: { kind: 'ready', content: event.content } }
        : item;
    case 'sendStarted':
      return stage.kind === 'ready'
        ? { ...item, attempts: item.attempts + 1, stage: { kind: 'sending', content: stage.content } }
        : item;
    case 'sendUnanswered':
      return stage.kind === 'sending' ? { ...item, stage: { kind: 'ready', content: stage.content } } : item;
    case 'acknowledged':
      return stage.kind === 'sending' ? { ...item, stage: { kind: 'sent', sequence: event.sequence } } : item;
    case 'failed':
      return fail(item, event.error);
    default:
      return unreachable(event);
  }
}

function fail(item: OutboxItem, error: AppError): OutboxItem {
  const { stage } = item;
  switch (stage.kind) {
    case 'uploading':
    case 'ready':
      return { ...item, stage: { kind: 'failed', error, resumeFrom: stage } };
    case 'sending':
      return {
        ...item,
        stage: { kind: 'failed', error, resumeFrom: { kind: 'ready', content: stage.content } },
      };
    case 'sent':
    case 'failed':
      return item;
    default:
      return unreachable(stage);
  }
}
