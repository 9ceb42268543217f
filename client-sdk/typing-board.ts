import type { PersonId, TypingActivity } from '@teleconsult/protocol';
import { MAX_PARTICIPANTS, TYPING_MS } from '@teleconsult/protocol/limits';
import type { ConsultationEvents } from './api.ts';
import type { Lifetime } from './lifetime.ts';

export interface TypingBoardOptions {
  readonly self: () => PersonId | null;
  readonly life: Lifetime;
  readonly onChange: () => void;
}

interface Notice {
  readonly activity: TypingActivity;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Who of the others types or records now. A notice that is not renewed is over by itself. */
export class TypingBoard {
  readonly #options: TypingBoardOptions;
  readonly #notices = new Map<PersonId, Notice>();

  constructor(options: TypingBoardOptions) {
    this.#options = options;
    options.life.onEnd(() => this.clear());
  }

  get typing(): ConsultationEvents['typing'] {
    return [...this.#notices].map(([personId, { activity }]) => ({ personId, activity }));
  }

  handle(personId: PersonId, activity: TypingActivity): void {
    if (personId === this.#options.self() || this.#options.life.over) return;
    const before = this.#notices.get(personId);
    clearTimeout(before?.timer);
    if (activity === 'none') {
      this.#notices.delete(personId);
    } else if (before !== undefined || this.#notices.size < MAX_PARTICIPANTS) {
      const timer = setTimeout(() => this.handle(personId, 'none'), TYPING_MS);
      this.#notices.set(personId, { activity, timer });
    }
    if ((this.#notices.get(personId)?.activity ?? 'none') !== (before?.activity ?? 'none')) {
      this.#options.onChange();
    }
  }

  /** The connection was lost: what was told before may be over. */
  clear(): void {
    const had = this.#notices.size > 0;
    for (const { timer } of this.#notices.values()) clearTimeout(timer);
    this.#notices.clear();
    if (had && !this.#options.life.over) this.#options.onChange();
  }
}
