import { type SipClock, type SipTimers, Timers } from './clock.ts';

/** Says a 2xx again until it is acknowledged (RFC 3261 §13.3.1.4): the transaction does not, over TCP neither. */
export class TwoHundred {
  readonly #timers: Timers<'again' | 'giveUp'>;
  readonly #times: SipTimers;
  readonly #send: () => void;

  constructor(options: {
    readonly clock: SipClock;
    readonly timers: SipTimers;
    readonly send: () => void;
    readonly unacknowledged: () => void;
  }) {
    this.#timers = new Timers(options.clock);
    this.#times = options.timers;
    this.#send = options.send;
    this.#again(options.timers.t1);
    this.#timers.set('giveUp', options.timers.giveUp, () => {
      this.stop();
      options.unacknowledged();
    });
  }

  stop(): void {
    this.#timers.clear();
  }

  #again(delay: number): void {
    this.#timers.set('again', delay, () => {
      this.#send();
      this.#again(Math.min(2 * delay, this.#times.t2));
    });
  }
}
