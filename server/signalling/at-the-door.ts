import { AppError, type PersonId } from '@teleconsult/protocol';
import type { Admission } from './admission.ts';
import { claimedPerson } from './claimed-person.ts';

/** What is needed of a connection of Engine.IO. */
interface Connection {
  readonly readyState: string;
}

/**
 * Connections of one person that wait among those in a call. Their phone, tablet and computer come back at the same
 * moment; who names the person in more has no token yet that would prove it.
 */
const URGENT_A_PERSON = 4;

/** Connections that were not let in yet: each waits once, at the place it may have, and is sent away once. */
export class AtTheDoor {
  readonly #admission: Pick<Admission, 'enter'>;
  readonly #isEngaged: (personId: PersonId) => boolean;
  readonly #waiting = new WeakSet<Connection>();
  /** Until when (by `performance.now`) those that were sent away were asked to stay away. */
  readonly #awayUntil = new WeakMap<Connection, number>();
  /** How many wait as this person among those in a call. */
  readonly #urgent = new Map<PersonId, number>();

  constructor(admission: Pick<Admission, 'enter'>, isEngaged: (personId: PersonId) => boolean) {
    this.#admission = admission;
    this.#isEngaged = isEngaged;
  }

  /**
   * Resolves when the connection may enter. The token is not verified: that costs as much for a bad one.
   * @throws AppError OVERLOADED with the moment to come back at, RATE_LIMITED when it waits already
   */
  async enter(connection: Connection, token: unknown): Promise<void> {
    if (this.#waiting.has(connection)) throw new AppError('RATE_LIMITED');
    const awayMs = (this.#awayUntil.get(connection) ?? 0) - performance.now();
    // It has its moment. Another one would move those of all who are told one after it.
    if (awayMs > 0) throw new AppError('OVERLOADED', { retryAfterMs: Math.ceil(awayMs) });
    this.#waiting.add(connection);
    try {
      await this.#enterInLine(connection, claimedPerson(token));
    } catch (error) {
      if (error instanceof AppError && error.retryAfterMs !== undefined)
        this.#awayUntil.set(connection, performance.now() + error.retryAfterMs);
      throw error;
    } finally {
      this.#waiting.delete(connection);
    }
  }

  async #enterInLine(connection: Connection, claimed: PersonId | null): Promise<void> {
    const isThere = (): boolean => connection.readyState === 'open';
    const before = claimed === null ? 0 : (this.#urgent.get(claimed) ?? 0);
    if (claimed === null || before >= URGENT_A_PERSON || !this.#isEngaged(claimed))
      return this.#admission.enter(isThere);
    this.#urgent.set(claimed, before + 1);
    try {
      await this.#admission.enter(isThere, { isUrgent: true });
    } finally {
      const left = (this.#urgent.get(claimed) ?? 1) - 1;
      if (left > 0) this.#urgent.set(claimed, left);
      else this.#urgent.delete(claimed);
    }
  }
}
