import { AppError, type CallId, type PersonId } from '@teleconsult/protocol';

/** Most joins of one seat that wait for each other; a device that asks for more is told to slow down. */
const MOST_WAITING = 8;

interface Turns {
  /** Settles, and never rejects, when the last who asked is done. */
  readonly last: Promise<unknown>;
  readonly count: number;
}

/**
 * One join of a seat at a time. Joining looks at the state, opens media and takes the seat; a second join in between
 * would take the media from under the first, and then perhaps be refused. It holds no more than the joins under way.
 */
export class SeatTurns {
  readonly #turns = new Map<string, Turns>();

  /** Seats whose joins are under way. */
  get size(): number {
    return this.#turns.size;
  }

  /** @throws AppError RATE_LIMITED when too many wait for this seat */
  async take<T>(seat: { callId: CallId; personId: PersonId }, join: () => Promise<T>): Promise<T> {
    const key = `${seat.callId}|${seat.personId}`;
    const before = this.#turns.get(key) ?? { last: Promise.resolve(), count: 0 };
    if (before.count >= MOST_WAITING) throw new AppError('RATE_LIMITED');
    const turn = before.last.then(join);
    this.#turns.set(key, { last: turn.catch(() => undefined), count: before.count + 1 });
    try {
      return await turn;
    } finally {
      const { last, count } = this.#turns.get(key) ?? before;
      if (count <= 1) this.#turns.delete(key);
      else this.#turns.set(key, { last, count: count - 1 });
    }
  }
}
