import { type SipClock, type SipTimers, Timers } from './clock.ts';
import type { SipRequest } from './message.ts';

export interface ServerTransactionOptions {
  readonly request: SipRequest;
  /** TCP: nothing is sent again, and nothing waits for repetitions. */
  readonly reliable: boolean;
  readonly clock: SipClock;
  readonly timers: SipTimers;
  readonly send: (bytes: Buffer) => void;
  /** 100 Trying, as bytes; sent when nothing else was in time. */
  readonly trying: () => Buffer;
  readonly onEnded: () => void;
}

export type ServerTransactionState =
  | 'trying'
  | 'proceeding'
  | 'completed'
  | 'confirmed'
  | 'accepted'
  | 'ended';

/** Server transactions, INVITE and others (RFC 3261 §17.2, RFC 6026 §7.1). */
export class ServerTransaction {
  readonly request: SipRequest;
  readonly #options: ServerTransactionOptions;
  readonly #timers: Timers<'trying' | 'again' | 'end'>;
  #state: ServerTransactionState;
  #last: Buffer | null = null;

  constructor(options: ServerTransactionOptions) {
    this.#options = options;
    this.request = options.request;
    this.#timers = new Timers(options.clock);
    this.#state = this.#invite ? 'proceeding' : 'trying';
    if (this.#invite) this.#timers.set('trying', options.timers.trying, () => this.#say(options.trying()));
  }

  get state(): ServerTransactionState {
    return this.#state;
  }

  /** Whether a final answer is still to be given. */
  get open(): boolean {
    return this.#state === 'trying' || this.#state === 'proceeding';
  }

  /** Sends an answer; one after the final one changes nothing. */
  respond(status: number, bytes: Buffer): void {
    if (!this.open) return;
    this.#timers.stop('trying');
    this.#say(bytes);
    if (status < 200) this.#state = 'proceeding';
    else if (!this.#invite) this.#complete();
    else if (status < 300) this.#accept();
    else this.#refuse();
  }

  /** The same request once more. */
  repeated(): void {
    // In `accepted` the 2xx is repeated by whoever answered, until it is acknowledged (RFC 6026 §7.1).
    if (this.#state !== 'confirmed' && this.#state !== 'accepted' && this.#last !== null)
      this.#send(this.#last);
  }

  acknowledged(): void {
    if (this.#state !== 'completed') return;
    const { reliable, timers } = this.#options;
    this.#timers.stop('again');
    this.#state = 'confirmed';
    if (reliable) this.end();
    else this.#timers.set('end', timers.t4, () => this.end());
  }

  /** Forgets it, whatever it waits for. */
  end(): void {
    if (this.#state === 'ended') return;
    this.#timers.clear();
    this.#state = 'ended';
    this.#last = null;
    this.#options.onEnded();
  }

  get #invite(): boolean {
    return this.request.method === 'INVITE';
  }

  #say(bytes: Buffer): void {
    this.#last = bytes;
    this.#send(bytes);
  }

  #send(bytes: Buffer): void {
    this.#options.send(bytes);
  }

  #complete(): void {
    this.#state = 'completed';
    if (this.#options.reliable) this.end();
    else this.#timers.set('end', this.#options.timers.giveUp, () => this.end());
  }

  #accept(): void {
    this.#state = 'accepted';
    this.#last = null;
    this.#timers.set('end', this.#options.timers.giveUp, () => this.end());
  }

  #refuse(): void {
    const { timers, reliable } = this.#options;
    this.#state = 'completed';
    this.#timers.set('end', timers.giveUp, () => this.end());
    if (!reliable) this.#again(timers.t1);
  }

  /** Timer G. */
  #again(delay: number): void {
    this.#timers.set('again', delay, () => {
      if (this.#last !== null) this.#send(this.#last);
      this.#again(Math.min(2 * delay, this.#options.timers.t2));
    });
  }
}
