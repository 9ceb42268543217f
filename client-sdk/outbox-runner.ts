import type {
  ClientMessageId,
  ConsultationId,
  Entry,
  MessageDraft,
  MessageEntry,
  MessageId,
} from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type { OutgoingDraft, OutgoingMessage } from './api.ts';
import { type AttachmentDraft, checkDraft, contentOf, uploadOf } from './drafts.ts';
import { aborted, type Lifetime, throwIfAborted } from './lifetime.ts';
import { mintClientMessageId } from './mint-id.ts';
import {
  find,
  MAX_OUTBOX,
  nextToSend,
  type Outbox,
  type OutboxEvent,
  queue,
  remove,
  retry,
  shownUpTo,
  step,
  toOutgoing,
} from './outbox.ts';
import { persist, type Signalling, toAppError } from './requests.ts';
import type { UploadProgress, Uploads } from './uploads.ts';

export interface SentMessage {
  readonly sequence: number;
  readonly messageId: MessageId;
}

export interface OutboxRunnerOptions {
  readonly consultationId: ConsultationId;
  readonly signalling: Signalling;
  readonly uploads: Pick<Uploads, 'upload'>;
  readonly life: Lifetime;
  readonly onChange: () => void;
  /** The server has committed a message under this sequence. */
  readonly onCommitted: (sequence: number) => void;
}

/** The effort to get one message across: begun by `send` or `retry`, ended by success, failure or removal. */
interface Effort {
  readonly life: Lifetime;
  readonly outcome: PromiseWithResolvers<SentMessage>;
}

const DELIVERED = new AppError('ABORTED', { detail: 'delivered' });

/** Moves the messages of one consultation through the outbox: uploads run ahead, sends keep their order. */
export class OutboxRunner {
  readonly #options: OutboxRunnerOptions;
  readonly #efforts = new Map<ClientMessageId, Effort>();
  readonly #uploading = new Set<ClientMessageId>();
  #outbox: Outbox = [];
  /** The one message that is on its way or waits to be sent again. */
  #delivering: ClientMessageId | null = null;

  constructor(options: OutboxRunnerOptions) {
    this.#options = options;
  }

  get messages(): readonly OutgoingMessage[] {
    return this.#outbox.map(toOutgoing);
  }

  async send(draft: OutgoingDraft, signal?: AbortSignal): Promise<SentMessage> {
    throwIfAborted(signal);
    checkDraft(draft);
    if (this.#options.life.endReason !== null) throw this.#options.life.endReason;
    if (this.#outbox.length >= MAX_OUTBOX)
      throw new AppError('RATE_LIMITED', { detail: 'the outbox is full' });
    const clientMessageId = mintClientMessageId();
    const stage: Outbox[number]['stage'] =
      draft.type === 'text'
        ? { kind: 'ready', content: { type: 'text', text: draft.text } }
        : { kind: 'uploading', upload: null };
    this.#outbox = queue(this.#outbox, { clientMessageId, draft, queuedAt: Date.now(), attempts: 0, stage });
    return this.#begin(clientMessageId, signal);
  }

  async retry(id: string): Promise<SentMessage> {
    const item = find(this.#outbox, id as ClientMessageId);
    if (item === undefined) throw new AppError('NOT_FOUND', { detail: 'clientMessageId' });
    if (item.stage.kind !== 'failed') throw new AppError('WRONG_STATE', { detail: item.stage.kind });
    this.#outbox = retry(this.#outbox, item.clientMessageId);
    return this.#begin(item.clientMessageId);
  }

  discard(id: string): void {
    const item = find(this.#outbox, id as ClientMessageId);
    if (item === undefined) return;
    if (item.stage.kind !== 'failed') throw new AppError('WRONG_STATE', { detail: item.stage.kind });
    this.#outbox = remove(this.#outbox, item.clientMessageId);
    this.#changed();
  }

  /**
   * The thread has grown. An own entry proves that its message was committed, whether or not the answer to the
   * send ever came; it leaves the outbox in the same moment as the entry is shown.
   */
  handleEntries(added: readonly Entry[], lastSequence: number): void {
    const before = this.#outbox;
    for (const entry of added) {
      if (entry.kind === 'message.sent' && this.#isOwn(entry)) this.#confirm(entry);
    }
    for (const id of shownUpTo(this.#outbox, lastSequence)) this.#outbox = remove(this.#outbox, id);
    if (this.#outbox !== before) this.#changed();
  }

  #begin(id: ClientMessageId, signal?: AbortSignal): Promise<SentMessage> {
    const life = this.#options.life.child();
    const outcome = Promise.withResolvers<SentMessage>();
    life.onEnd((reason) => outcome.reject(reason));
    const abort = () => this.#abort(id, aborted(signal));
    signal?.addEventListener('abort', abort, { once: true });
    const settled = () => signal?.removeEventListener('abort', abort);
    outcome.promise.then(settled, settled);
    this.#efforts.set(id, { life, outcome });
    this.#changed();
    return outcome.promise;
  }

  /** What the server may already have stays in the outbox until that is known; only the wait ends. */
  #abort(id: ClientMessageId, reason: AppError): void {
    const effort = this.#efforts.get(id);
    if (effort === undefined) return;
    if ((find(this.#outbox, id)?.attempts ?? 0) > 0) {
      effort.outcome.reject(reason);
      return;
    }
    this.#outbox = remove(this.#outbox, id);
    this.#finish(id, reason);
    this.#changed();
  }

  #isOwn(entry: MessageEntry): boolean {
    const { personId } = this.#options.signalling;
    return this.#efforts.has(entry.clientMessageId) && (personId === null || entry.by === personId);
  }

  #confirm({ clientMessageId, sequence, messageId }: MessageEntry): void {
    this.#efforts.get(clientMessageId)?.outcome.resolve({ sequence, messageId });
    this.#outbox = remove(this.#outbox, clientMessageId);
    this.#finish(clientMessageId, DELIVERED);
  }

  #finish(id: ClientMessageId, reason: AppError): void {
    const effort = this.#efforts.get(id);
    this.#efforts.delete(id);
    effort?.life.end(reason);
  }

  #apply(id: ClientMessageId, event: OutboxEvent): void {
    this.#outbox = step(this.#outbox, id, event);
    this.#changed();
  }

  #changed(): void {
    if (this.#options.life.over) return;
    this.#startUploads();
    this.#startDelivery();
    this.#options.onChange();
  }

  #startUploads(): void {
    for (const item of this.#outbox) {
      const { clientMessageId: id, draft, stage } = item;
      const effort = this.#efforts.get(id);
      if (stage.kind !== 'uploading' || draft.type === 'text' || effort === undefined) continue;
      if (this.#uploading.has(id)) continue;
      this.#uploading.add(id);
      void this.#upload(id, { draft, from: stage.upload, life: effort.life }).finally(() => {
        this.#uploading.delete(id);
      });
    }
  }

  async #upload(
    id: ClientMessageId,
    { draft, from, life }: { draft: AttachmentDraft; from: UploadProgress | null; life: Lifetime },
  ): Promise<void> {
    const { uploads, consultationId } = this.#options;
    try {
      const attachmentId = await uploads.upload({
        consultationId,
        input: uploadOf(draft),
        from,
        life,
        onProgress: (upload) => this.#advance(id, upload),
      });
      if (!life.over) this.#apply(id, { kind: 'uploaded', content: contentOf(draft, attachmentId) });
    } catch (error) {
      if (!life.over) this.#fail(id, toAppError(error));
    }
  }

  /** Browsers report progress up to twenty times a second; the app is told of whole percents. */
  #advance(id: ClientMessageId, upload: UploadProgress): void {
    const stage = find(this.#outbox, id)?.stage;
    if (stage?.kind !== 'uploading') return;
    const before = stage.upload;
    const sameUpload = before?.uploadUrl === upload.uploadUrl;
    if (sameUpload && Math.floor(before.share * 100) === Math.floor(upload.share * 100)) return;
    this.#apply(id, { kind: 'uploadAdvanced', upload });
  }

  #startDelivery(): void {
    const item = nextToSend(this.#outbox);
    const effort = item === null ? undefined : this.#efforts.get(item.clientMessageId);
    if (item?.stage.kind !== 'ready' || effort === undefined || this.#delivering !== null) return;
    this.#delivering = item.clientMessageId;
    void this.#deliver(item.clientMessageId, item.stage.content, effort).finally(() => {
      this.#delivering = null;
      this.#startDelivery();
    });
  }

  async #deliver(id: ClientMessageId, content: MessageDraft, { life, outcome }: Effort): Promise<void> {
    const { signalling, consultationId, onCommitted } = this.#options;
    try {
      const sent = await persist(
        { signalling, life },
        () => {
          this.#apply(id, { kind: 'sendStarted' });
          return signalling.request('message.send', { consultationId, clientMessageId: id, content });
        },
        { onRetry: () => this.#apply(id, { kind: 'sendUnanswered' }) },
      );
      outcome.resolve(sent);
      this.#finish(id, DELIVERED);
      this.#apply(id, { kind: 'acknowledged', sequence: sent.sequence });
      onCommitted(sent.sequence);
    } catch (error) {
      if (!life.over) this.#fail(id, toAppError(error));
    }
  }

  #fail(id: ClientMessageId, error: AppError): void {
    this.#finish(id, error);
    this.#apply(id, { kind: 'failed', error });
  }
}
