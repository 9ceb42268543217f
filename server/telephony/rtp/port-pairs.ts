/** The pairs of ports phone calls run on: the even one for sound, the odd one above it for its control (RFC 3550 §11). */
import { randomInt } from 'node:crypto';

export interface PortRange {
  readonly from: number;
  /** Included. */
  readonly to: number;
}

/** Lends pairs in random order, so that a port says nothing about the calls before it, and lets each rest after use. */
export class PortPairs {
  readonly #free: number[] = [];
  readonly #lent = new Set<number>();
  /** In the order of their return. */
  #resting: { readonly port: number; readonly until: number }[] = [];
  readonly #restMs: number;

  /** `restMs`: packets of the last call may still come so long after its end. @throws RangeError for a range without a pair */
  constructor(range: PortRange, restMs: number) {
    const { from, to } = range;
    if (!Number.isInteger(from) || !Number.isInteger(to) || from < 1 || to > 0xffff)
      throw new RangeError('telephone sound: ports are whole numbers from 1 to 65535');
    for (let port = from + (from % 2); port + 1 <= to; port += 2) this.#free.push(port);
    if (this.#free.length < 2)
      throw new RangeError('telephone sound: the range has no room for a call, which takes four ports');
    this.#restMs = restMs;
  }

  /** An even port; null when all are in use or resting. */
  lend(now: number): number | null {
    this.#wake(now);
    if (this.#free.length === 0) return null;
    const index = randomInt(this.#free.length);
    const port = this.#free[index];
    const last = this.#free.pop();
    if (port === undefined || last === undefined) return null;
    if (index < this.#free.length) this.#free[index] = last;
    this.#lent.add(port);
    return port;
  }

  /** Again changes nothing. */
  giveBack(port: number, now: number): void {
    if (this.#lent.delete(port)) this.#resting.push({ port, until: now + this.#restMs });
  }

  /** It was not used after all. */
  unlend(port: number): void {
    if (this.#lent.delete(port)) this.#free.push(port);
  }

  #wake(now: number): void {
    const awake = this.#resting.findIndex(({ until }) => until > now);
    const rested = awake === -1 ? this.#resting : this.#resting.slice(0, awake);
    if (rested.length === 0) return;
    this.#free.push(...rested.map(({ port }) => port));
    this.#resting = this.#resting.slice(rested.length);
  }
}
