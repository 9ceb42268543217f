/**
 * How many packets a leg may send: no telephone sends more than one in 5 ms. Whoever floods a call would have us flood the
 * other side.
 */

const PACKETS_A_SECOND = 200;
/** After a standstill of the network all that waited comes at once. */
const MOST_AT_ONCE = 400;

export class PacketBudget {
  #left = MOST_AT_ONCE;
  #refilledAt = 0;

  /** Whether one more is let in. `now` in milliseconds, never set back. */
  take(now: number): boolean {
    this.#left = Math.min(MOST_AT_ONCE, this.#left + ((now - this.#refilledAt) * PACKETS_A_SECOND) / 1_000);
    this.#refilledAt = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
