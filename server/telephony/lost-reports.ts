import type { Clock, Log } from '../host/ports.ts';
import type { RelayCore, RelayProvider } from './ports.ts';

export interface LostReportsParts {
  readonly providers: readonly RelayProvider[];
  readonly core: Pick<RelayCore, 'event'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly everyMs?: number;
}

const HOUR_MS = 3_600_000;
/** After a start: nobody knows for how long reports found no server. */
const FIRST_SINCE_MS = 24 * HOUR_MS;
/** A call that ran at the last look, and the clocks of two machines. */
const OVERLAP_MS = 2 * HOUR_MS;

/**
 * Reports of providers that never reached us, found in their lists: after a start, and every hour. Events tell the same again
 * and change nothing then.
 */
export class LostReports {
  readonly #parts: LostReportsParts;
  readonly #stop = new AbortController();
  /** Up to when everything was found. */
  readonly #foundTo = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;

  constructor(parts: LostReportsParts) {
    this.#parts = parts;
  }

  /** Looks, behind everything else, and from now on every hour. */
  start(): void {
    if (this.#stop.signal.aborted || this.#parts.providers.every(({ reconcile }) => reconcile === null))
      return;
    void this.look();
    this.#timer = setInterval(() => void this.look(), this.#parts.everyMs ?? HOUR_MS);
    this.#timer.unref();
  }

  /** Never rejects; one look at a time. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /** May be called twice. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#stop.abort();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { providers, core, clock, log } = this.#parts;
    const { signal } = this.#stop;
    for (const { name, reconcile } of providers) {
      if (reconcile === null || signal.aborted) continue;
      const at = clock();
      const since = (this.#foundTo.get(name) ?? at - FIRST_SINCE_MS) - OVERLAP_MS;
      let count = 0;
      let isAll = true;
      try {
        for await (const event of reconcile(since, signal)) {
          if (signal.aborted) return;
          try {
            await core.event(event);
            count += 1;
          } catch (error) {
            isAll = false;
            log.warn('phone.reportNotKept', { error });
          }
        }
        // Else the next look begins where this one did.
        if (isAll) this.#foundTo.set(name, at);
        log.info('phone.reportsLookedFor', { count });
      } catch (error) {
        if (!signal.aborted) log.warn('phone.reportsNotFound', { count, error });
      }
    }
  }
}
