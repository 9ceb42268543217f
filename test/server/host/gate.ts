import type { ConsultationStore } from '@teleconsult/server/host/ports';

/** Holds back commits while it is shut, so that what arrives meanwhile shares the next one. */
export class Gate {
  #shut: { promise: Promise<void>; open: () => void } | null = null;
  #waiting = 0;

  shut(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#shut = { promise, open: resolve };
  }

  open(): void {
    this.#shut?.open();
    this.#shut = null;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** For `startTestApp`'s second argument. */
  readonly wrap = (store: ConsultationStore): Partial<ConsultationStore> => ({
    append: async (commit) => {
      if (this.#shut !== null) {
        this.#waiting += 1;
        await this.#shut.promise;
        this.#waiting -= 1;
      }
      return store.append(commit);
    },
  });
}
