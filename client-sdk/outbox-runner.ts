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
import { bytesOf, checkDraft, type UploadInput, uploadsOf } from './drafts.ts';
import { aborted, type Lifetime, throwIfAborted } from './lifetime.ts';
import { mintClientMessageId } from './mint-id.ts';
import {
  find,
  firstStage,
  MAX_OUTBOX,
  MAX_OUTBOX_BYTES,
  nextOrder,
  nextToSend,
  type Outbox,
  type OutboxEvent,
  type OutboxItem,
  queue,
  remove,
  restore,
  retry,
  shownUpTo,
  step,
  toOutgoing,
} from './outbox.ts';
import { persist, type Signalling, toAppError } from './requests.ts';
import type { DeviceStore } from './storage/device-store.ts';
import { KeptOutbox } from './storage/kept-outbox.ts';
import type { UploadProgress, Uploads } from './uploads.ts';

export interface SentMessage {
  readonly sequence: number;
  readonly messageId: MessageId;
}

export interface OutboxRunnerOptions {
  readonly consultationId: ConsultationId;
  readonly signalling: Signalling;
  readonly uploads: Pick<Uploads, 'upload'>;
  readonly store: DeviceStore;
  readonly life: Lifetime;
  /** What the thread holds now. */
  readonly held: () => { readonly entries: readonly Entry[]; readonly lastSequence: number };
  readonly onChange: () => void;
  /** The server has committed a message under this sequence. */
  readonly onCommitted: (sequence: number) => void;
}

export interface SendOptions {
  readonly replyTo?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The effort to get one message across: begun by `send`, `retry` or a reload, ended by success, failure or removal. */
interface Effort {
  readonly life: Lifetime;
  readonly outcome: PromiseWithResolvers<SentMessage>;
}

const DELIVERED = new AppError('ABORTED', { detail: 'delivered' });

/** Moves the messages of one consultation through the outbox: uploads run ahead, sends keep their order. */
export class OutboxRunner {
  readonly #options: OutboxRunnerOptions;
  readonly #kept: KeptOutbox;
  readonly #efforts = new Map<ClientMessageId, Effort>();
  /** Uploads under way, by message and part. */
  readonly #uploading = new Set<string>();
  #outbox: Outbox = [];
  /** The one message that is on its way or waits to be sent again. */
  #delivering: ClientMessageId | null = null;

  constructor(options: OutboxRunnerOptions) {
    this.#options = options;
    const { consultationId, store, life } = options;
    this.#kept = new KeptOutbox({
      consultationId,
      store,
      life,
      onKept: () => this.#run(),
      onOrphans: () => void this.restore().catch(() => {}),
    });
  }

  get messages(): readonly OutgoingMessage[] {
    return this.#outbox.map(toOutgoing);
  }

  /** Takes up what an earlier page left unsent. What the thread shows already is done. */
  async restore(): Promise<void> {
    const adopted = await this.#kept.adopt();
    if (this.#options.life.over || adopted.length === 0) return;
    this.#outbox = restore(this.#outbox, adopted);
    for (const { clientMessageId, stage } of adopted) {
      // Nobody waits for it: the page that did is gone.
      if (stage.kind !== 'failed') this.#effort(clientMessageId).outcome.promise.catch(() => {});
    }
    const { entries, lastSequence } = this.#options.held();
    this.#take(entries, lastSequence);
    this.#changed();
  }

  async send(draft: OutgoingDraft, { replyTo, signal }: SendOptions = {}): Promise<SentMessage> {
    throwIfAborted(signal);
    checkDraft(draft);
    if (replyTo !== undefined && !(Number.isSafeInteger(replyTo) && replyTo > 0)) {
      throw new AppError('INVALID', { detail: 'replyTo' });
    }
    if (this.#options.life.endReason !== null) throw this.#options.life.endReason;
    this.#requireRoom(draft);
    const clientMessageId = mintClientMessageId();
    this.#outbox = queue(this.#outbox, {
      clientMessageId,
      draft,
      replyTo: replyTo ?? null,
      queuedAt: Date.now(),
      order: nextOrder(this.#outbox),
      attempts: 0,
      restored: false,
      stage: firstStage(draft),
    });
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

  /** Drops every message, sent or not, here and where it is kept. */
  forget(reason: AppError): void {
    this.#outbox = [];
    for (const id of [...this.#efforts.keys()]) this.#finish(id, reason);
    this.#changed();
  }

  /**
   * The thread has grown. An own entry proves that its message was committed, whether or not the answer to the
   * send ever came; it leaves the outbox in the same moment as the entry is shown.
   */
  handleEntries(added: readonly Entry[], lastSequence: number): void {
    const before = this.#outbox;
    this.#take(added, lastSequence);
    if (this.#outbox !== before) this.#changed();
  }

  #take(added: readonly Entry[], lastSequence: number): void {
    for (const entry of added) {
      if (entry.kind === 'message.sent' && this.#isOwn(entry)) this.#confirm(entry);
    }
    for (const id of shownUpTo(this.#outbox, lastSequence)) this.#outbox = remove(this.#outbox, id);
  }

  #requireRoom(draft: OutgoingDraft): void {
    if (this.#outbox.length >= MAX_OUTBOX) {
      throw new AppError('RATE_LIMITED', { detail: 'the outbox is full' });
    }
    const bytes = bytesOf(draft);
    const waiting = this.#outbox.reduce((sum, item) => sum + bytesOf(item.draft), 0);
    if (bytes > 0 && waiting + bytes > MAX_OUTBOX_BYTES) {
      throw new AppError('TOO_LARGE', { detail: 'the outbox is full' });
    }
  }

  #begin(id: ClientMessageId, signal?: AbortSignal): Promise<SentMessage> {
    const { outcome } = this.#effort(id);
    const abort = () => this.#abort(id, aborted(signal));
    signal?.addEventListener('abort', abort, { once: true });
    const settled = () => signal?.removeEventListener('abort', abort);
    outcome.promise.then(settled, settled);
    this.#changed();
    return outcome.promise;
  }

  #effort(id: ClientMessageId): Effort {
    const effort: Effort = {
      life: this.#options.life.child(),
      outcome: Promise.withResolvers<SentMessage>(),
    };
    effort.life.onEnd((reason) => effort.outcome.reject(reason));
    this.#efforts.set(id, effort);
    return effort;
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

  /** Also a failed one: another page, or an answer that was lost, may have brought it across. */
  #isOwn(entry: MessageEntry): boolean {
    const { personId } = this.#options.signalling;
    const isHere = find(this.#outbox, entry.clientMessageId) !== undefined;
    return isHere && (personId === null || entry.by === personId);
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
    this.#kept.sync(this.#outbox);
    this.#run();
    this.#options.onChange();
  }

  #run(): void {
    if (this.#options.life.over) return;
    for (const item of this.#outbox) if (this.#kept.isKept(item.clientMessageId)) this.#startUploads(item);
    this.#startDelivery();
  }

  #startUploads({ clientMessageId: id, draft, stage }: OutboxItem): void {
    const life = this.#efforts.get(id)?.life;
    if (stage.kind !== 'uploading' || life === undefined) return;
    for (const [part, input] of uploadsOf(draft).entries()) {
      const state = stage.parts[part];
      const name = `${id} ${part}`;
      if (state?.kind !== 'missing' || this.#uploading.has(name)) continue;
      this.#uploading.add(name);
      void this.#upload({ id, part, input, from: state.upload, life }).finally(() => {
        this.#uploading.delete(name);
        // It may have failed and been tried again before this one had ended.
        this.#run();
      });
    }
  }

  async #upload({
    id,
    part,
    input,
    from,
    life,
  }: {
    id: ClientMessageId;
    part: number;
    input: UploadInput;
    from: UploadProgress | null;
    life: Lifetime;
  }): Promise<void> {
    const { uploads, consultationId } = this.#options;
    try {
      const attachmentId = await uploads.upload({
        consultationId,
        input,
        from,
        life,
        onProgress: (upload) => this.#advance(id, part, upload),
      });
      if (!life.over) this.#apply(id, { kind: 'uploaded', part, attachmentId });
    } catch (error) {
      if (!life.over) this.#fail(id, toAppError(error));
    }
  }

  /** Browsers report progress up to twenty times a second; the app is told of whole percents. */
  #advance(id: ClientMessageId, part: number, upload: UploadProgress): void {
    const stage = find(this.#outbox, id)?.stage;
    const state = stage?.kind === 'uploading' ? stage.parts[part] : undefined;
    if (state?.kind !== 'missing') return;
    const before = state.upload;
    const sameUpload = before?.uploadUrl === upload.uploadUrl;
    if (sameUpload && Math.floor(before.share * 100) === Math.floor(upload.share * 100)) return;
    this.#apply(id, { kind: 'uploadAdvanced', part, upload });
  }

  #startDelivery(): void {
    const item = nextToSend(this.#outbox);
    const effort = item === null ? undefined : this.#efforts.get(item.clientMessageId);
    if (item?.stage.kind !== 'ready' || effort === undefined || this.#delivering !== null) return;
    if (!this.#kept.isKept(item.clientMessageId)) return;
    this.#delivering = item.clientMessageId;
    void this.#deliver(item, item.stage.content, effort).finally(() => {
      this.#delivering = null;
      this.#run();
    });
  }

  async #deliver(
    { clientMessageId: id, replyTo }: OutboxItem,
    content: MessageDraft,
    { life, outcome }: Effort,
  ): Promise<void> {
    const { signalling, consultationId, onCommitted } = this.#options;
    const reply = replyTo === null ? {} : { replyTo };
    try {
      const sent = await persist(
        { signalling, life },
        () => {
          this.#apply(id, { kind: 'sendStarted' });
          return signalling.request('message.send', {
            consultationId,
            clientMessageId: id,
            content,
            ...reply,
          });
        },
        { onRetry: () => this.#apply(id, { kind: 'sendUnanswered' }) },
      );
      outcome.resolve(sent);
      this.#finish(id, DELIVERED);
      this.#apply(id, { kind: 'acknowledged', sequence: sent.sequence });
      onCommitted(sent.sequence);
    } catch (error) {
      if (!life.over) this.#handleRefusal(id, toAppError(error));
    }
  }

  /** Of messages with attachments that an earlier page left, a refusal can mean something else than it says. */
  #handleRefusal(id: ClientMessageId, error: AppError): void {
    const item = find(this.#outbox, id);
    const isLeft = item?.restored === true && uploadsOf(item.draft).length > 0;
    if (isLeft && error.code === 'NOT_FOUND') {
      // The server keeps unsent attachments for a day.
      this.#apply(id, { kind: 'attachmentsLost' });
      return;
    }
    if (isLeft && error.code === 'CONFLICT') {
      // A page without Web Locks has uploaded it, too, and was faster: the thread has the message.
      this.#outbox = remove(this.#outbox, id);
      this.#finish(id, error);
      this.#changed();
      return;
    }
    this.#fail(id, error);
  }

  #fail(id: ClientMessageId, error: AppError): void {
    this.#finish(id, error);
    this.#apply(id, { kind: 'failed', error });
  }
}
