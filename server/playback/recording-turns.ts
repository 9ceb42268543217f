import { AppError, type RecordingId } from '@teleconsult/protocol';

/** Most changes of one recording that wait for each other. */
const MOST_WAITING = 16;

interface Turns {
  /** Settles, and never rejects, when the last who asked is done. */
  readonly last: Promise<unknown>;
  readonly count: number;
}

/**
 * One change of a recording at a time: composing and erasing it, and signing a note that holds it. Holds nothing of a
 * recording that nobody changes.
 */
export class RecordingTurns {
  readonly #turns = new Map<RecordingId, Turns>();

  /** @throws AppError RATE_LIMITED when too many wait for this recording */
  async take<T>(recordingId: RecordingId, task: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(recordingId) ?? { last: Promise.resolve(), count: 0 };
    if (before.count >= MOST_WAITING) throw new AppError('RATE_LIMITED');
    const turn = before.last.then(task);
    this.#turns.set(recordingId, { last: turn.catch(() => undefined), count: before.count + 1 });
    try {
      return await turn;
    } finally {
      const { last, count } = this.#turns.get(recordingId) ?? before;
      if (count <= 1) this.#turns.delete(recordingId);
      else this.#turns.set(recordingId, { last, count: count - 1 });
    }
  }
}
