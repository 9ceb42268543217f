import type { Clock, Log } from '../../host/ports.ts';
import { type PhoneCallEnd, RelayError } from '../ports.ts';
import type { IncomingCall } from '../sip/incoming-call.ts';
import { token } from '../sip/token.ts';
import type { CallTable } from './call-table.ts';
import type { Farewells } from './farewells.ts';
import { type DialOut, type LegWish, PhoneLegCall } from './phone-leg-call.ts';
import type { PhoneLine } from './phone-line.ts';
import type { RelayFigures } from './relay-figures.ts';
import { MAX_CALLS, type RelaySettings } from './settings.ts';

export interface PhoneLegsParts {
  readonly settings: RelaySettings;
  readonly log: Log;
  readonly clock: Clock;
}

/** What there is once the relay has started. */
export interface PhoneLegsWorld {
  readonly line: PhoneLine;
  readonly table: CallTable;
  readonly farewells: Farewells;
}

/** Rings single phones, answers those that dial in, and hands over their sound: for calls of a consultation, or whatever else wants to talk to one. */
export class PhoneLegs {
  readonly #parts: PhoneLegsParts;
  readonly #figures: RelayFigures;
  readonly #calls = new Map<string, PhoneLegCall>();
  #world: PhoneLegsWorld | null = null;

  constructor(parts: PhoneLegsParts, figures: RelayFigures) {
    this.#parts = parts;
    this.#figures = figures;
  }

  /** Phones that ring or talk. */
  get size(): number {
    return this.#calls.size;
  }

  /** The relay has started. */
  open(world: PhoneLegsWorld): void {
    this.#world = world;
  }

  /**
   * Rings a phone. Its sound is there at once, so that an SFU can be connected before it is answered; nothing passes until
   * `bridge(true)`.
   * @throws RelayError `refused` for a destination that may not be dialled, `unavailable` before the start and after the
   *   end, with too many at once, and when no port or no trunk is there
   */
  async dialOut(wish: DialOut): Promise<PhoneLegCall> {
    const call = this.#begin(wish);
    await call.ring(wish);
    return call;
  }

  /**
   * Answers a phone that has dialled in. Its sound is there at once, as that of one that was rung.
   * @throws RelayError `unavailable` as above; the call is open then, unless it was answered
   */
  async pickUp(invite: IncomingCall, wish: LegWish): Promise<PhoneLegCall> {
    const call = this.#begin(wish);
    await call.pickUp(invite);
    return call;
  }

  /** Hangs all of them up. May be called twice. */
  async close(end: PhoneCallEnd = 'lost'): Promise<void> {
    this.#world = null;
    await Promise.all([...this.#calls.values()].map((call) => call.hangUp(null, end)));
  }

  #begin(wish: LegWish): PhoneLegCall {
    const world = this.#world;
    const { settings, log, clock } = this.#parts;
    if (world === null || this.#calls.size >= (settings.maxCalls ?? MAX_CALLS))
      throw new RelayError('unavailable');
    const callRef = token();
    const call = new PhoneLegCall({ ...world, figures: this.#figures, log, clock, callRef, wish });
    this.#calls.set(callRef, call);
    void call.ended.then(() => this.#calls.delete(callRef));
    return call;
  }
}
