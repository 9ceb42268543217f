import { AppError } from '@teleconsult/protocol';

/** Tasks of one name run one after the other; those of different names side by side. */
export class SerialBy<Name> {
  readonly #last = new Map<Name, { readonly done: Promise<unknown>; waiting: number }>();
  readonly #limit: number;

  /** @param limit most tasks of one name that may wait or run; beyond it `RATE_LIMITED` */
  constructor(limit: number) {
    this.#limit = limit;
  }

  async run<T>(name: Name, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name);
    const waiting = (before?.waiting ?? 0) + 1;
    if (waiting > this.#limit) throw new AppError('RATE_LIMITED');
    const done = (async () => {
      await before?.done.catch(() => undefined);
      return task();
    })();
    const own = { done, waiting };
    this.#last.set(name, own);
    try {
      return await done;
    } finally {
      const last = this.#last.get(name);
      if (last === own) this.#last.delete(name);
      else if (last !== undefined) last.waiting -= 1;
    }
  }
}
