import type { Clock, Log } from '../../host/ports.ts';
import type { RejectReason } from '../ports.ts';

const WINDOW_MS = 60_000;

/**
 * Counts calls that were turned away. Many within a minute are an alarm, once a minute: somebody tries numbers out, or
 * something is set up wrongly.
 */
export class RefusedCalls {
  readonly #threshold: number;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #total: Record<RejectReason, number> = {
    unknown_number: 0,
    stranger: 0,
    expired: 0,
    direction: 0,
    limit: 0,
    refused: 0,
    busy: 0,
    unavailable: 0,
  };
  #windowSince = Number.NEGATIVE_INFINITY;
  #inWindow = 0;
  #alarms = 0;

  constructor(parts: { readonly threshold: number; readonly clock: Clock; readonly log: Log }) {
    this.#threshold = parts.threshold;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** Since the start of this process, by reason. */
  get total(): Readonly<Record<RejectReason, number>> {
    return this.#total;
  }

  get alarms(): number {
    return this.#alarms;
  }

  count(why: RejectReason): void {
    this.#total[why] += 1;
    const now = this.#clock();
    if (now - this.#windowSince >= WINDOW_MS) {
      this.#windowSince = now;
      this.#inWindow = 0;
    }
    this.#inWindow += 1;
    if (this.#inWindow !== this.#threshold) return;
    this.#alarms += 1;
    this.#log.warn('phone.manyRefused', { count: this.#inWindow, reason: why });
  }
}
