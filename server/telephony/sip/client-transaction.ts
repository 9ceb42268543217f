import { type SipClock, type SipTimers, Timers } from './clock.ts';
import type { SipResponse } from './message.ts';

export interface ClientTransactionOptions {
  readonly method: string;
  readonly reliable: boolean;
  readonly clock: SipClock;
  readonly timers: SipTimers;
  /** Sends the request (again). */
  readonly send: () => void;
  /** Acknowledges a final answer other than 2xx, within the transaction. */
  readonly acknowledge: (response: SipResponse) => void;
  /** Provisional and final answers; of an INVITE every 2xx, also those that come again or from another branch. */
  readonly onResponse: (response: SipResponse) => void;
  readonly onFailed: (why: 'timeout' | 'unreachable' | 'closed') => void;
  readonly onEnded: () => void;
}

export type ClientTransactionState = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'ended';

/** Client transactions, INVITE and others (RFC 3261 §17.1, RFC 6026 §7.2). */
export class ClientTransaction {
  readonly #options: ClientTransactionOptions;
  readonly #timers: Timers<'again' | 'giveUp' | 'end'>;
  #state: ClientTransactionState = 'calling';

  constructor(options: ClientTransactionOptions) {
    this.#options = options;
    this.#timers = new Timers(options.clock);
  }

  get state(): ClientTransactionState {
    return this.#state;
  }

  start(): void {
    const { timers, reliable, send } = this.#options;
    send();
    if (!reliable) this.#again(timers.t1);
    this.#timers.set('giveUp', timers.giveUp, () => this.#fail('timeout'));
  }

  received(response: SipResponse): void {
    const { status } = response;
    switch (this.#state) {
      case 'calling':
      case 'proceeding':
        if (status < 200) this.#provisional(response);
        else if (!this.#invite) this.#complete(response);
        else if (status < 300) this.#accept(response);
        else this.#refused(response);
        return;
      case 'completed':
        if (this.#invite && status >= 300) this.#options.acknowledge(response);
        return;
      case 'accepted':
        if (status >= 200 && status < 300) this.#options.onResponse(response);
        return;
      case 'ended':
        return;
      default: {
        const unreachable: never = this.#state;
        throw new Error(unreachable);
      }
    }
  }

  /** The connection broke before the request was out. */
  unreachable(): void {
    if (this.#state === 'calling' || this.#state === 'proceeding') this.#fail('unreachable');
  }

  /** The endpoint is being closed. */
  abort(): void {
    if (this.#state === 'calling' || this.#state === 'proceeding') this.#fail('closed');
    else this.end();
  }

  end(): void {
    if (this.#state === 'ended') return;
    this.#timers.clear();
    this.#state = 'ended';
    this.#options.onEnded();
  }

  get #invite(): boolean {
    return this.#options.method === 'INVITE';
  }

  /** Timers A and E. An INVITE that is being worked on is not sent again; another request is, every T2. */
  #again(delay: number): void {
    this.#timers.set('again', delay, () => {
      this.#options.send();
      const { t2 } = this.#options.timers;
      this.#again(this.#invite ? 2 * delay : this.#state === 'proceeding' ? t2 : Math.min(2 * delay, t2));
    });
  }

  #provisional(response: SipResponse): void {
    this.#state = 'proceeding';
    if (this.#invite) {
      this.#timers.stop('again');
      this.#timers.stop('giveUp');
    }
    this.#options.onResponse(response);
  }

  #complete(response: SipResponse): void {
    this.#state = 'completed';
    this.#timers.clear();
    if (this.#options.reliable) this.end();
    else this.#timers.set('end', this.#options.timers.t4, () => this.end());
    this.#options.onResponse(response);
  }

  #accept(response: SipResponse): void {
    this.#state = 'accepted';
    this.#timers.clear();
    this.#timers.set('end', this.#options.timers.giveUp, () => this.end());
    this.#options.onResponse(response);
  }

  #refused(response: SipResponse): void {
    this.#state = 'completed';
    this.#timers.clear();
    this.#options.acknowledge(response);
    if (this.#options.reliable) this.end();
    else this.#timers.set('end', this.#options.timers.giveUp, () => this.end());
    this.#options.onResponse(response);
  }

  #fail(why: 'timeout' | 'unreachable' | 'closed'): void {
    this.end();
    this.#options.onFailed(why);
  }
}
