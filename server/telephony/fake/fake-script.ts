import type { RelayErrorReason } from '../ports.ts';
import { RelayError } from '../ports.ts';

/** What the person who is rung does. */
export type FakeAnswer =
  /** Rings until the test answers or hangs up. */
  'rings' | 'answers' | 'busy' | 'no_answer' | 'declined' | 'failed';

/** What comes next, in order; then everything is as usual again. */
export class FakeScript {
  readonly #failures: RelayErrorReason[] = [];
  readonly #answers: FakeAnswer[] = [];

  fails(reason: RelayErrorReason, times: number): void {
    for (let time = 0; time < times; time += 1) this.#failures.push(reason);
  }

  /** Failures that were to come do not. */
  recovers(): void {
    this.#failures.length = 0;
  }

  next(answer: FakeAnswer): void {
    this.#answers.push(answer);
  }

  /** @throws RelayError when a failure is due */
  request(): void {
    const reason = this.#failures.shift();
    if (reason !== undefined) throw new RelayError(reason, { detail: 'scripted' });
  }

  answer(): FakeAnswer {
    return this.#answers.shift() ?? 'rings';
  }
}
