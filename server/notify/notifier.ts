import type { ConsultationId } from '@teleconsult/protocol';
import type { Stepped } from '../host/batch.ts';
import type { Clock, ConsultationStore, Log, Publisher } from '../host/ports.ts';
import type { People } from '../people/people.ts';
import { Progress } from './progress.ts';
import { Push } from './push.ts';
import type { Receiver } from './receiver.ts';
import type { RetryPace } from './retry-delay.ts';
import type { PushSettings, WebhookSettings } from './settings.ts';
import { Situations, type ToldHost } from './situations.ts';
import { DEFAULT_PACE, Telling, type WakeReason } from './telling.ts';
import { Webhook } from './webhook.ts';

/**
 * How often the store is asked again who was not told of everything, in milliseconds, where not all of them could be
 * taken up. Changes wake the notifier at once, so this is for a receiver that was away for long.
 */
const RESCAN_MS = 30_000;
/** Most consultations one look takes up. */
const RESCAN_LIMIT = 10_000;

export interface NotifierParts {
  readonly store: Pick<ConsultationStore, 'page' | 'marks' | 'behind' | 'notifiedUpTo' | 'markNotified'>;
  readonly host: ToldHost;
  readonly peopleService: Pick<People, 'preferences' | 'pushDevices' | 'forgetDevice'>;
  readonly publisher: Pick<Publisher, 'isConnected' | 'isOnline'>;
  readonly clock: Clock;
  readonly log: Log;
  /** null: none. */
  readonly webhook: WebhookSettings | null;
  /** null: none. */
  readonly push: PushSettings | null;
  /** How long failed attempts wait, and how often progress is noted; for tests. */
  readonly pace?: { readonly webhook: RetryPace; readonly push: RetryPace; readonly saveMs: number };
}

/**
 * Tells the host application (webhooks) and closed apps (push) what happened, from the thread itself: its entries are
 * durable and numbered, so it needs no outbox beside it, only the number that was told last
 * (docs/decisions/013-notices-follow-the-thread.md).
 */
export class Notifier {
  readonly #parts: NotifierParts;
  readonly #situations: Situations;
  readonly #progress: Progress;
  readonly #tellings: readonly Telling[];
  #rescan: NodeJS.Timeout | null = null;
  #looking: Promise<void> = Promise.resolve();
  /** There are consultations that were not told of everything, and that nobody is at work on. */
  #isIncomplete = false;
  #closing: Promise<void> | null = null;

  constructor(parts: NotifierParts) {
    this.#parts = parts;
    this.#situations = new Situations(parts);
    const receivers = this.#receivers();
    const progress = new Progress({
      ...parts,
      receivers: receivers.map(({ name }) => name),
      saveMs: parts.pace?.saveMs,
    });
    this.#progress = progress;
    const pace = parts.pace?.webhook ?? DEFAULT_PACE;
    this.#tellings = receivers.map((receiver) => new Telling({ ...parts, receiver, progress, pace }));
  }

  /** Goes on where the last run of the server stopped. */
  async start(): Promise<void> {
    if (this.#tellings.length === 0 || this.#closing !== null) return;
    this.#look();
    await this.#looking;
    this.#rescan = setInterval(() => {
      if (this.#isIncomplete) this.#look();
    }, RESCAN_MS);
    this.#rescan.unref();
  }

  /** Called after each change, in the order of commits. */
  handleChange(change: Stepped): void {
    if (this.#tellings.length === 0) return;
    this.#situations.handleChange(change);
    if (change.entries.length > 0) this.#wake(change.after.id, namesSomebody(change) ? 'named' : 'added');
  }

  /** Gives up what is under way, which is told after the next start. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#rescan !== null) clearInterval(this.#rescan);
    await Promise.all(this.#tellings.map((telling) => telling.close()));
    await this.#looking;
    await this.#progress.close();
  }

  #wake(id: ConsultationId, reason: WakeReason): void {
    for (const telling of this.#tellings) if (!telling.wake(id, reason)) this.#isIncomplete = true;
  }

  /** One look after the other: a slow one is not joined by the next. */
  #look(): void {
    const { store, log } = this.#parts;
    this.#looking = this.#looking.then(async () => {
      try {
        await this.#progress.save();
        const behind = await store.behind(RESCAN_LIMIT);
        this.#isIncomplete = behind.length === RESCAN_LIMIT;
        for (const id of behind) this.#wake(id, 'found');
      } catch (error) {
        this.#isIncomplete = true;
        log.error('notify.notLooked', { error });
      }
    });
  }

  #receivers(): readonly Receiver[] {
    const { webhook, push, peopleService: people, pace } = this.#parts;
    const common = { ...this.#parts, situations: this.#situations };
    const preferences = people.preferences.bind(people);
    return [
      ...(webhook === null ? [] : [new Webhook({ ...common, settings: webhook, preferences })]),
      ...(push === null ? [] : [new Push({ ...common, settings: push, people, pace: pace?.push })]),
    ];
  }
}

/** Whether it may concern people who take no part in the consultation afterwards. */
function namesSomebody({ before, after, entries }: Stepped): boolean {
  return before.participants !== after.participants || entries.some((entry) => 'personId' in entry);
}
