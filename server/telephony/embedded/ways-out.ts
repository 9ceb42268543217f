import { setTimeout as wait } from 'node:timers/promises';
import type { LegName } from '../rtp/ports.ts';

/** A phone behind NAT is waited for so long until it is heard. */
const HEARD_WITHIN_MS = 2_000;

/** Whether what is said to a leg can reach it: behind NAT the way to a phone is the way that it was heard by. */
export class WaysOut {
  readonly #source: 'signalled' | 'first';
  readonly #heard = { a: Promise.withResolvers<true>(), b: Promise.withResolvers<true>() };

  constructor(source: 'signalled' | 'first') {
    this.#source = source;
  }

  /** The first packet of a leg has come. */
  heard(leg: LegName): void {
    this.#heard[leg].resolve(true);
  }

  /** Waits for it a moment, where it has to be heard first. */
  async isOpen(leg: LegName, stop: AbortSignal): Promise<boolean> {
    if (this.#source === 'signalled') return true;
    const enough = new AbortController();
    const signal = AbortSignal.any([stop, enough.signal]);
    const tooLate = wait(HEARD_WITHIN_MS, false, { signal }).catch(() => false);
    const isOpen = await Promise.race([this.#heard[leg].promise, tooLate]);
    enough.abort();
    return isOpen;
  }
}
