import type { ClientMessageId, ConsultationId } from '@teleconsult/protocol';
import { AppError, isErrorCode } from '@teleconsult/protocol/errors';
import type { OutgoingDraft } from '../api.ts';
import { checkDraft } from '../drafts.ts';
import type { Lifetime } from '../lifetime.ts';
import { firstStage, type Outbox, type OutboxItem, type ResumePoint, resumePointOf } from '../outbox.ts';
import type { DeviceStore, Kept } from './device-store.ts';

export interface KeptOutboxOptions {
  readonly consultationId: ConsultationId;
  readonly store: DeviceStore;
  readonly life: Lifetime;
  /** The message will be found again after a reload, or cannot be kept: either way it may go. */
  readonly onKept: (id: ClientMessageId) => void;
  /** Another page of this browser is gone, and may have left messages. */
  readonly onOrphans: () => void;
}

/** What never changes of a message, with its attachments; written once, before the message goes anywhere. */
interface KeptMessage extends Kept {
  readonly version: 1;
  readonly draft: OutgoingDraft;
  readonly queuedAt: number;
  readonly replyTo: number | null;
  readonly order: number;
  readonly page: string | null;
}

/** How far it has got; small, and written again at each step that a reload must not undo. */
interface KeptProgress extends Kept {
  readonly version: 1;
  readonly attempts: number;
  readonly order: number;
  /** The page that sends it; null when pages cannot be told apart. */
  readonly page: string | null;
  readonly resumeFrom: ResumePoint;
  /** The code may be of another version of the SDK. */
  readonly error: { readonly code: string; readonly detail: string | null } | null;
}

const VERSION = 1;
/** A loss costs at most this share of what is shown as uploaded; where it goes on is the server's word anyway. */
const PROGRESS_STEPS = 10;

/** The outbox of one consultation as this device keeps it: what `sync` is shown is there after a reload. */
export class KeptOutbox {
  readonly #options: KeptOutboxOptions;
  /** What was written last of each message. */
  readonly #written = new Map<ClientMessageId, string>();
  readonly #kept = new Set<ClientMessageId>();
  /** Other pages whose end is waited for. */
  readonly #awaited = new Set<string>();
  #page: string | null = null;

  constructor(options: KeptOutboxOptions) {
    this.#options = options;
  }

  isKept(id: ClientMessageId): boolean {
    return this.#kept.has(id);
  }

  /**
   * Messages that no living page sends, in any order; from now on they are this page's. Waits while another page
   * adopts, and if that one is frozen, for as long.
   */
  async adopt(): Promise<readonly OutboxItem[]> {
    const { store, life } = this.#options;
    const page = await store.page();
    this.#page = page?.id ?? null;
    if (page === null) return (await this.#adoptNow(new Set())).items;
    const found = await page.alone(async () => this.#adoptNow(await page.living()));
    for (const other of found.others) {
      if (this.#awaited.has(other)) continue;
      this.#awaited.add(other);
      const { signal, abort } = life.toSignal();
      page
        .untilGone(other, signal)
        .then(() => this.#options.onOrphans())
        // The life has ended first.
        .catch(() => {})
        .finally(() => {
          this.#awaited.delete(other);
          abort();
        });
    }
    return found.items;
  }

  /** Writes what differs from what is kept. */
  sync(outbox: Outbox): void {
    const present = new Set<ClientMessageId>();
    for (const item of outbox) {
      present.add(item.clientMessageId);
      this.#syncItem(item);
    }
    for (const id of this.#written.keys()) if (!present.has(id)) this.#forget(id);
  }

  #syncItem(item: OutboxItem): void {
    const { clientMessageId: id } = item;
    const signature = signatureOf(item);
    const before = this.#written.get(id);
    if (signature === null || signature === before) return;
    this.#written.set(id, signature);
    if (before === undefined) {
      void this.#options.store.set(this.#messageKey(id), this.#messageOf(item)).then(() => {
        if (this.#written.has(id)) this.#kept.add(id);
        this.#options.onKept(id);
      });
      return;
    }
    const progress = this.#progressOf(item);
    if (progress !== null) void this.#options.store.set(this.#progressKey(id), progress);
  }

  #forget(id: ClientMessageId): void {
    this.#written.delete(id);
    this.#kept.delete(id);
    // The message first: progress alone is nothing, and is swept away.
    const { store } = this.#options;
    void store.delete(this.#messageKey(id)).then(() => store.delete(this.#progressKey(id)));
  }

  async #adoptNow(
    living: ReadonlySet<string>,
  ): Promise<{ readonly items: readonly OutboxItem[]; readonly others: ReadonlySet<string> }> {
    const { store } = this.#options;
    const prefix = this.#messageKey('' as ClientMessageId);
    const others = new Set<string>();
    const items: OutboxItem[] = [];
    for (const [key, message] of await store.entries(prefix)) {
      const id = key.slice(prefix.length) as ClientMessageId;
      if (this.#written.has(id)) continue;
      const progress = await store.get(this.#progressKey(id));
      if (!isMessage(message) || !(progress === undefined || isProgress(progress))) {
        // Of another version of the SDK, or damaged.
        this.#forget(id);
        continue;
      }
      const owner = (progress ?? message).page;
      if (owner !== null && owner !== this.#page && living.has(owner)) {
        others.add(owner);
        continue;
      }
      const item = itemOf(id, message, progress);
      if (item === null) this.#forget(id);
      else items.push(item);
    }
    for (const item of items) await this.#take(item);
    return { items, others };
  }

  async #take(item: OutboxItem): Promise<void> {
    const { clientMessageId: id } = item;
    this.#written.set(id, signatureOf(item) ?? '');
    this.#kept.add(id);
    const progress = this.#progressOf(item);
    if (progress !== null) await this.#options.store.set(this.#progressKey(id), progress);
  }

  #messageOf({ draft, queuedAt, replyTo, order }: OutboxItem): KeptMessage {
    return { version: VERSION, at: Date.now(), draft, queuedAt, replyTo, order, page: this.#page };
  }

  #progressOf({ attempts, order, stage }: OutboxItem): KeptProgress | null {
    const resumeFrom = resumePointOf(stage);
    if (resumeFrom === null) return null;
    const error =
      stage.kind === 'failed' ? { code: stage.error.code, detail: stage.error.detail ?? null } : null;
    return { version: VERSION, at: Date.now(), attempts, order, page: this.#page, resumeFrom, error };
  }

  #messageKey(id: ClientMessageId): string {
    return `message/${this.#options.consultationId}/${id}`;
  }

  #progressKey(id: ClientMessageId): string {
    return `progress/${this.#options.consultationId}/${id}`;
  }
}

/** Changes when a reload would otherwise lose something; null when there is nothing left to lose. */
function signatureOf({ stage, order }: OutboxItem): string | null {
  const point = resumePointOf(stage);
  if (point === null) return null;
  const failure = stage.kind === 'failed' ? stage.error.code : '';
  if (point.kind === 'ready') return JSON.stringify([order, failure, 'ready']);
  const parts = point.parts.map((part) => {
    if (part.kind === 'there') return part.attachmentId;
    return [part.upload?.uploadUrl, Math.floor((part.upload?.share ?? 0) * PROGRESS_STEPS)];
  });
  return JSON.stringify([order, failure, parts]);
}

/** Null when it is of a kind that this version of the SDK does not know. */
function itemOf(
  id: ClientMessageId,
  message: KeptMessage,
  progress: KeptProgress | undefined,
): OutboxItem | null {
  const { draft, queuedAt, replyTo } = message;
  if (!isKnown(draft)) return null;
  const shared = { clientMessageId: id, draft, queuedAt, replyTo, restored: true };
  if (progress === undefined) {
    return { ...shared, order: message.order, attempts: 0, stage: firstStage(draft) };
  }
  const { order, attempts, resumeFrom, error } = progress;
  if (error === null) return { ...shared, order, attempts, stage: resumeFrom };
  const code = isErrorCode(error.code) ? error.code : 'INTERNAL';
  const failure = new AppError(code, { detail: error.detail ?? undefined });
  return { ...shared, order, attempts, stage: { kind: 'failed', error: failure, resumeFrom } };
}

/** What cannot be read throws: it is of another version, or damaged. */
function isKnown(draft: OutgoingDraft): boolean {
  try {
    checkDraft(draft);
    return true;
  } catch {
    return false;
  }
}

function isMessage(value: unknown): value is KeptMessage {
  return isOfThisVersion(value) && 'draft' in value && 'order' in value && 'queuedAt' in value;
}

function isProgress(value: unknown): value is KeptProgress {
  return isOfThisVersion(value) && 'resumeFrom' in value && 'order' in value && 'attempts' in value;
}

function isOfThisVersion(value: unknown): value is { readonly version: typeof VERSION } {
  return typeof value === 'object' && value !== null && 'version' in value && value.version === VERSION;
}
