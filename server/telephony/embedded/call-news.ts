import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from '../../host/ports.ts';
import type { RelayCore, RelayEvent } from '../ports.ts';
import { atMost } from './at-most.ts';

/** Calls whose news waits for a store; one more is given up by the store's own time limits. */
const MOST_WAITING = 10_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;

export type NewsOf = Pick<RelayEvent, 'callRef' | 'bindingId' | 'phoneCallId'>;

/** Tells the bindings what becomes of calls: in order for each call, and again until it is kept. */
export class CallNews {
  readonly #core: RelayCore;
  readonly #provider: string;
  readonly #log: Log;
  readonly #closing = new AbortController();
  readonly #tails = new Map<string, Promise<boolean>>();

  constructor(core: RelayCore, provider: string, log: Log) {
    this.#core = core;
    this.#provider = provider;
    this.#log = log;
  }

  /** How many calls have news that is not kept yet. */
  get waiting(): number {
    return this.#tails.size;
  }

  /** Resolves with whether it was kept; false only after `close`, or when far too much waits. Never rejects. */
  tell(of: NewsOf, at: number, what: RelayEvent['what']): Promise<boolean> {
    const before = this.#tails.get(of.callRef);
    if (before === undefined && this.#tails.size >= MOST_WAITING) {
      this.#log.error('phone.newsDropped');
      return Promise.resolve(false);
    }
    const { callRef, bindingId, phoneCallId } = of;
    const eventId = `${this.#provider}:${callRef}:${what.type}`;
    const event: RelayEvent = {
      eventId,
      provider: this.#provider,
      callRef,
      bindingId,
      phoneCallId,
      at,
      what,
    };
    const telling = (before ?? Promise.resolve(true)).then(() => this.#untilKept(event));
    this.#tails.set(callRef, telling);
    void telling.then(() => {
      if (this.#tails.get(callRef) === telling) this.#tails.delete(callRef);
    });
    return telling;
  }

  /** Waits for nobody any more; what is not kept is told after the next start. May be called twice. */
  async close(withinMs: number): Promise<void> {
    await atMost(withinMs, Promise.all(this.#tails.values()));
    this.#closing.abort();
  }

  async #untilKept(event: RelayEvent): Promise<boolean> {
    const { signal } = this.#closing;
    for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        await this.#core.event(event);
        return true;
      } catch (error) {
        this.#log.warn('phone.eventNotKept', { reason: event.what.type, error });
        await wait(pause, undefined, { signal }).catch(() => undefined);
      }
    }
    return false;
  }
}
