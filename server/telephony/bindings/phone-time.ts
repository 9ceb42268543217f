import type { ConsultationId, PhoneBindingId } from '@teleconsult/protocol';
import { abreast } from './abreast.ts';
import type { CallReports } from './call-reports.ts';
import type { PhoneContext } from './context.ts';
import { COUNTED_MS } from './decisions.ts';
import type { NewsTeller } from './news-teller.ts';
import type { ProviderWork } from './provider-work.ts';
import type { StoredBinding } from './store.ts';

/** Most bindings that one tick ends, and that it asks providers for. */
const LIMIT = 100;
/** How often what is over is forgotten. */
const SWEEP_MS = 3_600_000;
/** How long calls and bindings are kept after they were over: limits look back a day, late reports some hours. */
const KEPT_MS = 7 * COUNTED_MS;
/** All bindings are looked at again at most so often: what fails for one may fail for a while. */
const RECHECK_MS = 60_000;
const MOST_NOT_FOLLOWED = 1_000;

export interface PhoneTimeParts extends PhoneContext {
  readonly work: ProviderWork;
  readonly reports: CallReports;
  readonly news: NewsTeller;
  readonly catchUp: (of: Pick<StoredBinding, 'consultationId'>) => Promise<void>;
}

/** Lets time pass: expiries, what providers are to be asked again, lost calls. Moments are stored, so a restart forgets none. */
export class PhoneTime {
  readonly #parts: PhoneTimeParts;
  #timer: NodeJS.Timeout | null = null;
  #keeping: Promise<void> | null = null;
  #asking: Promise<void> | null = null;
  #sweptAt = Number.NEGATIVE_INFINITY;
  /** Whether what happened to consultations while no server ran was looked at, and up to which binding. */
  #caughtUpTo: PhoneBindingId | 'all' | null = null;
  #isToRecheck = false;
  /** Which could not be followed; they may have no binding yet that would be found. */
  readonly #notFollowed = new Set<ConsultationId>();
  #recheckedAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(parts: PhoneTimeParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.tick(), this.#parts.settings.tickMs);
    this.#timer.unref();
    void this.tick();
  }

  /** Something about a consultation could not be carried out: it, and all that have a number, are looked at again. */
  recheck(consultationId?: ConsultationId): void {
    this.#isToRecheck = true;
    if (consultationId !== undefined && this.#notFollowed.size < MOST_NOT_FOLLOWED)
      this.#notFollowed.add(consultationId);
  }

  /** Never rejects. What takes long is not queued behind, and a provider that hangs holds up nothing but what it is asked. */
  tick(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#keeping ??= this.#guarded(() => this.#keepTime()).finally(() => {
      this.#keeping = null;
    });
    return this.#keeping.then(() => {
      if (this.#closed) return undefined;
      this.#asking ??= this.#guarded(() => this.#bringUp()).finally(() => {
        this.#asking = null;
      });
      return this.#asking;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#keeping;
    await this.#asking;
  }

  async #guarded(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.#parts.log.error('phone.tickFailed', { error });
    }
  }

  /** What the store alone is needed for. */
  async #keepTime(): Promise<void> {
    const { store, clock, work, reports, news } = this.#parts;
    for (const bindingId of await store.bindings.expiredBindings(clock(), LIMIT)) {
      const binding = await store.bindings.binding(bindingId);
      if (binding !== null) await work.end(binding, 'expired');
    }
    await reports.giveUpSilent();
    await news.tell();
  }

  /** What asks consultations and providers. */
  async #bringUp(): Promise<void> {
    const { store, clock, news } = this.#parts;
    const again = this.#beginRecheck(clock());
    await this.#follow(again.map((consultationId) => ({ consultationId })));
    if (this.#caughtUpTo !== 'all') await this.#catchUp();
    await this.#askProviders(await store.bindings.dueBindings(clock(), LIMIT));
    await this.#sweep();
    await news.tell();
  }

  async #askProviders(due: readonly PhoneBindingId[]): Promise<void> {
    const { work, log } = this.#parts;
    await abreast(due, (bindingId) =>
      work.run(bindingId).catch((error: unknown) => log.warn('phone.notCarriedOut', { error })),
    );
  }

  /** Not while all are being looked at: what failed of them meanwhile is looked at after that. */
  #beginRecheck(now: number): readonly ConsultationId[] {
    // A clock that was set back makes nobody wait for longer.
    const isSoon = Math.abs(now - this.#recheckedAt) < RECHECK_MS;
    if (this.#caughtUpTo !== 'all' || !this.#isToRecheck || isSoon) return [];
    const again = [...this.#notFollowed];
    this.#notFollowed.clear();
    this.#caughtUpTo = null;
    this.#isToRecheck = false;
    this.#recheckedAt = now;
    return again;
  }

  /** A visit may have ended, its doctor or a number changed, while nobody told us. */
  async #catchUp(): Promise<void> {
    const after = this.#caughtUpTo === 'all' ? null : this.#caughtUpTo;
    const page = await this.#parts.store.bindings.openBindings(after, LIMIT);
    await this.#follow(page);
    this.#caughtUpTo = page.length < LIMIT ? 'all' : (page.at(-1)?.bindingId ?? 'all');
  }

  async #follow(some: readonly Pick<StoredBinding, 'consultationId'>[]): Promise<void> {
    const { catchUp, log } = this.#parts;
    await abreast(some, (one) =>
      catchUp(one).catch((error: unknown) =>
        log.warn('phone.notCaughtUp', { consultation: one.consultationId, error }),
      ),
    );
  }

  async #sweep(): Promise<void> {
    const { store, clock, settings } = this.#parts;
    const now = clock();
    if (Math.abs(now - this.#sweptAt) < SWEEP_MS) return;
    await store.sweep({
      calls: now - KEPT_MS,
      bindings: now - KEPT_MS,
      uses: now - Math.max(KEPT_MS, settings.coolDownMs),
    });
    this.#sweptAt = now;
  }
}
