import type { PhoneBindingId } from '@teleconsult/protocol';
import type { CallReports } from './call-reports.ts';
import type { PhoneContext } from './context.ts';
import { COUNTED_MS } from './decisions.ts';
import type { NewsTeller } from './news-teller.ts';
import type { ProviderWork } from './provider-work.ts';
import type { StoredBinding } from './store.ts';

/** Most bindings that one tick ends, and that it asks providers for. */
const LIMIT = 100;
const ABREAST = 10;
/** How often what is over is forgotten. */
const SWEEP_MS = 3_600_000;
/** How long calls and bindings are kept after they were over: limits look back a day, late reports some hours. */
const KEPT_MS = 7 * COUNTED_MS;

export interface PhoneTimeParts extends PhoneContext {
  readonly work: ProviderWork;
  readonly reports: CallReports;
  readonly news: NewsTeller;
  readonly catchUp: (binding: StoredBinding) => Promise<void>;
}

/** Lets time pass: expiries, what providers are to be asked again, lost calls. Moments are stored, so a restart forgets none. */
export class PhoneTime {
  readonly #parts: PhoneTimeParts;
  #timer: NodeJS.Timeout | null = null;
  #ticking: Promise<void> | null = null;
  #sweptAt = Number.NEGATIVE_INFINITY;
  /** Whether what happened to consultations while no server ran was looked at, and up to which binding. */
  #caughtUpTo: PhoneBindingId | 'all' | null = null;
  #closed = false;

  constructor(parts: PhoneTimeParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.tick(), this.#parts.settings.tickMs);
    this.#timer.unref();
    void this.tick();
  }

  /** Something about a consultation could not be carried out: all of them are looked at again. */
  recheck(): void {
    this.#caughtUpTo = null;
  }

  /** Never rejects. One that takes long is not queued behind. */
  tick(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#ticking ??= this.#tick().finally(() => {
      this.#ticking = null;
    });
    return this.#ticking;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#ticking;
  }

  async #tick(): Promise<void> {
    const { store, clock, log, work, reports, news } = this.#parts;
    try {
      for (const bindingId of await store.bindings.expiredBindings(clock(), LIMIT)) {
        const binding = await store.bindings.binding(bindingId);
        if (binding !== null) await work.end(binding, 'expired');
      }
      if (this.#caughtUpTo !== 'all') await this.#catchUp();
      await this.#askProviders(await store.bindings.dueBindings(clock(), LIMIT));
      await reports.giveUpSilent();
      await this.#sweep();
      await news.tell();
    } catch (error) {
      log.error('phone.tickFailed', { error });
    }
  }

  async #askProviders(due: readonly PhoneBindingId[]): Promise<void> {
    const { work, log } = this.#parts;
    const waiting = due.values();
    const askNext = async (): Promise<void> => {
      for (const bindingId of waiting)
        await work.run(bindingId).catch((error: unknown) => log.warn('phone.notCarriedOut', { error }));
    };
    await Promise.all(Array.from({ length: ABREAST }, askNext));
  }

  /** A visit may have ended, or its doctor changed, while nobody told us. */
  async #catchUp(): Promise<void> {
    const { store, catchUp, log } = this.#parts;
    const after = this.#caughtUpTo === 'all' ? null : this.#caughtUpTo;
    const page = await store.bindings.openBindings(after, LIMIT);
    for (const binding of page)
      await catchUp(binding).catch((error: unknown) =>
        log.warn('phone.notCaughtUp', { consultation: binding.consultationId, error }),
      );
    this.#caughtUpTo = page.length < LIMIT ? 'all' : (page.at(-1)?.bindingId ?? 'all');
  }

  async #sweep(): Promise<void> {
    const { store, clock, settings } = this.#parts;
    const now = clock();
    if (now - this.#sweptAt < SWEEP_MS) return;
    await store.sweep({
      calls: now - KEPT_MS,
      bindings: now - KEPT_MS,
      uses: now - Math.max(KEPT_MS, settings.coolDownMs),
    });
    this.#sweptAt = now;
  }
}
