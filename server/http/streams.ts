import { AppError } from '@teleconsult/protocol';

/** A player of eight tracks keeps one or two answers open for each. */
const MAX_STREAMS_A_PERSON = 24;
/** Answers under way of all people: each holds a few hundred kilobytes. */
const MAX_STREAMS = 400;

/** Counts answers under way. */
export class Streams {
  readonly #ofPerson = new Map<string, number>();
  #count = 0;

  /** @throws AppError RATE_LIMITED, OVERLOADED */
  enter(personId: string): () => void {
    const own = this.#ofPerson.get(personId) ?? 0;
    if (own >= MAX_STREAMS_A_PERSON) throw new AppError('RATE_LIMITED');
    if (this.#count >= MAX_STREAMS) throw new AppError('OVERLOADED');
    this.#ofPerson.set(personId, own + 1);
    this.#count += 1;
    return () => {
      this.#count -= 1;
      const left = (this.#ofPerson.get(personId) ?? 1) - 1;
      if (left === 0) this.#ofPerson.delete(personId);
      else this.#ofPerson.set(personId, left);
    };
  }
}
