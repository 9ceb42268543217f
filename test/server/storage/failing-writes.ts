import { AppError } from '@teleconsult/protocol';
import type { ConsultationStore } from '@teleconsult/server/host/ports';

export type Failure = 'STORAGE_FULL' | 'STORAGE_UNAVAILABLE' | 'bug';

/** How a failing write behaves: as it must, or in one of the ways that a check has to notice. */
export type Manner =
  | 'fails'
  /** It reports the failure, but has written. */
  | 'fails but wrote'
  /** It reports success, but has not written: what follows is told before it is on disk. */
  | 'succeeds but did not write';

/** Appends that fail while they are told to. To be laid over a store. */
export class FailingWrites {
  #failure: Failure | null = null;
  readonly #manner: Manner;

  constructor(manner: Manner = 'fails') {
    this.#manner = manner;
  }

  begin(failure: Failure): void {
    this.#failure = failure;
  }

  end(): void {
    this.#failure = null;
  }

  readonly over = (store: ConsultationStore): Partial<ConsultationStore> => ({
    append: async (commit) => {
      if (this.#failure === null) return store.append(commit);
      const error = this.#failure === 'bug' ? new TypeError('a bug') : new AppError(this.#failure);
      switch (this.#manner) {
        case 'fails':
          throw error;
        case 'fails but wrote':
          await store.append(commit);
          throw error;
        case 'succeeds but did not write':
          return 'committed';
      }
    },
  });
}
