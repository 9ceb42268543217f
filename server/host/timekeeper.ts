import type { ConsultationId } from '@teleconsult/protocol';
import type { Clock, ConsultationStore, Log } from './ports.ts';

/** How often time is looked at. Deadlines are seconds, so half a second is fine enough. */
const TICK_MS = 500;
/** Most consultations whose deadlines one tick handles. */
const DUE_LIMIT = 200;
/** A consultation whose tick failed is left alone for this long, so that it does not stand in the others' way. */
const RETRY_MS = 30_000;
/** Most failing consultations that are remembered; more than that is a store that fails, not consultations. */
const FAILING_LIMIT = 10_000;

export interface TimekeeperParts {
  readonly store: ConsultationStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Lets what is due in a consultation pass. */
  readonly pass: (id: ConsultationId) => Promise<void>;
  /** Called after each tick. */
  readonly onTick: () => Promise<void>;
}

/** Lets time pass: stored moments are looked at by one tick, so that a restart forgets none. */
export class Timekeeper {
  readonly #parts: TimekeeperParts;
  readonly #failing = new Map<ConsultationId, number>();
  #timer: NodeJS.Timeout | null = null;
  #ticking: Promise<void> | null = null;

  constructor(parts: TimekeeperParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => {
      // A tick that takes long, say on a slow disk, is not queued behind.
      this.#ticking ??= this.#tick().finally(() => {
        this.#ticking = null;
      });
    }, TICK_MS);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#ticking;
  }

  async #tick(): Promise<void> {
    const { store, clock, log, pass, onTick } = this.#parts;
    const now = clock();
    try {
      for (const [id, retryAt] of this.#failing) if (retryAt <= now) this.#failing.delete(id);
      for (const id of await store.due(now, DUE_LIMIT + this.#failing.size)) {
        if (this.#failing.has(id)) continue;
        try {
          await pass(id);
        } catch (error) {
          log.error('tick.failed', { consultation: id, error });
          if (this.#failing.size < FAILING_LIMIT) this.#failing.set(id, now + RETRY_MS);
        }
      }
      await onTick();
    } catch (error) {
      log.error('tick.failed', { error });
    }
  }
}
