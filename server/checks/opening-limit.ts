import { AppError, type PersonId } from '@teleconsult/protocol';
import type { Clock } from '../host/ports.ts';

/** A check opens a room on a media worker, which costs more than other requests. Nobody needs seven in a minute. */
const MAX_OPENED = 6;
const WITHIN_MS = 60_000;
/** From so many people on, those who opened none lately are forgotten first. */
const TIDY_ABOVE = 1_000;

/** How many checks a person opened in the last minute. */
export class OpeningLimit {
  readonly #clock: Clock;
  /** When each person opened their last checks, oldest first. At most `MAX_OPENED` each. */
  readonly #opened = new Map<PersonId, readonly number[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws `RATE_LIMITED` for one too many, which does not count. */
  count(personId: PersonId): void {
    const now = this.#clock();
    const recent = (this.#opened.get(personId) ?? []).filter((at) => at > now - WITHIN_MS);
    if (recent.length >= MAX_OPENED)
      throw new AppError('RATE_LIMITED', { detail: 'at most six network checks a minute' });
    if (this.#opened.size >= TIDY_ABOVE) this.#tidy(now);
    this.#opened.set(personId, [...recent, now]);
  }

  /** People are as many as have tokens; of those only who opened one in the last minute stay. */
  #tidy(now: number): void {
    for (const [personId, opened] of this.#opened)
      if (opened.every((at) => at <= now - WITHIN_MS)) this.#opened.delete(personId);
  }
}
