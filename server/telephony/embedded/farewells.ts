import type { Log } from '../../host/ports.ts';
import { atMost } from './at-most.ts';

/** BYEs on their way: nobody waits for them but who closes. */
export class Farewells {
  readonly #log: Log;
  readonly #running = new Set<Promise<void>>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** As many as there are dialogs, which are bounded. */
  add(farewell: Promise<void>): void {
    const settled = farewell
      .catch((error: unknown) => this.#log.error('phone.byeFailed', { error }))
      .finally(() => this.#running.delete(settled));
    this.#running.add(settled);
  }

  /** Resolves when all have been heard, or time is up. */
  async settled(withinMs: number): Promise<void> {
    await atMost(withinMs, Promise.all(this.#running));
  }
}
