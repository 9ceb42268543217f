import { AppError, type ConsultationId, type RecordingId } from '@teleconsult/protocol';

/** Most changes of one thing that wait for each other. */
const MOST_WAITING = 16;

interface Turns {
  /** Settles, and never rejects, when the last who asked is done. */
  readonly last: Promise<unknown>;
  readonly count: number;
}

/**
 * One change at a time: of a recording (composing and erasing it), or of what the notes of a consultation hold (signing one,
 * and erasing a recording). Remembers nothing that nobody changes.
 */
export class RecordingTurns {
  readonly #turns = new Map<RecordingId | ConsultationId, Turns>();

  /** @throws AppError RATE_LIMITED when too many wait */
  async take<T>(id: RecordingId | ConsultationId, task: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(id) ?? { last: Promise.resolve(), count: 0 };
    if (before.count >= MOST_WAITING) throw new AppError('RATE_LIMITED');
    const turn = before.last.then(task);
    this.#turns.set(id, { last: turn.catch(() => undefined), count: before.count + 1 });
    try {
      return await turn;
    } finally {
      const { last, count } = this.#turns.get(id) ?? before;
      if (count <= 1) this.#turns.delete(id);
      else this.#turns.set(id, { last, count: count - 1 });
    }
  }
}
