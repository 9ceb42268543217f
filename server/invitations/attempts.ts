import { AppError, type PersonId } from '@teleconsult/protocol';
import { RateLimiterMemory } from 'rate-limiter-flexible';

/**
 * How often a person may do something in a while. Taken before it is tried, so that many attempts at once count as
 * many; given back where it turned out not to count.
 */
export class Attempts {
  readonly #limiter: RateLimiterMemory;

  /** @param seconds how long an attempt counts */
  constructor(limit: number, seconds: number) {
    this.#limiter = new RateLimiterMemory({ points: limit, duration: seconds });
  }

  /** @throws AppError RATE_LIMITED when there were too many */
  async take(personId: PersonId): Promise<void> {
    try {
      await this.#limiter.consume(personId);
    } catch (cause) {
      throw new AppError('RATE_LIMITED', { cause });
    }
  }

  async giveBack(personId: PersonId): Promise<void> {
    await this.#limiter.reward(personId);
  }
}
