import { AppError } from '@teleconsult/protocol/errors';
import type { CallOptions } from '../api.ts';
import type { Lifetime } from '../lifetime.ts';
import { persist, type Signalling, toAppError } from '../requests.ts';

export interface LiveViewOptions<T> {
  readonly signalling: Signalling;
  readonly life: Lifetime;
  readonly empty: T;
  readonly fetch: (options?: CallOptions) => Promise<T>;
  readonly onChange: (value: T) => void;
}

/** Changes that are told this closely after each other are fetched once, in milliseconds. */
const GATHER_MS = 300;

/**
 * Something of the server that this device shows: fetched, kept up to date, and never overwritten by an answer that is
 * older than what is shown. What this person may not see is empty.
 */
export class LiveView<T> {
  readonly #options: LiveViewOptions<T>;
  #value: T;
  /** Fetches and news are numbered in the order in which they began. */
  #latest = 0;
  #shown = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LiveViewOptions<T>) {
    this.#options = options;
    this.#value = options.empty;
    options.life.onEnd(() => clearTimeout(this.#timer));
  }

  get value(): T {
    return this.#value;
  }

  /** News: nothing that was asked for before is newer. */
  set(value: T): void {
    this.#latest += 1;
    this.#show(value, this.#latest);
  }

  /** Waits out a lost connection. */
  async load({ signal }: CallOptions = {}): Promise<void> {
    const { signalling, life, fetch } = this.#options;
    const options = signal === undefined ? {} : { signal };
    this.#latest += 1;
    const number = this.#latest;
    const value = await persist({ signalling, life }, () => this.#orEmpty(fetch(options)), options);
    if (number > this.#shown) this.#show(value, number);
    // What came meanwhile is newer, but may be of a part only.
    else this.hear();
  }

  /** Something of it has changed: fetches it soon. */
  hear(): void {
    const { life } = this.#options;
    if (this.#timer !== undefined || life.over) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // Refused or over: it is told again when it changes again.
      this.load().catch(() => {});
    }, GATHER_MS);
  }

  async #orEmpty(fetching: Promise<T>): Promise<T> {
    try {
      return await fetching;
    } catch (thrown) {
      const { code } = toAppError(thrown);
      if (code === 'FORBIDDEN' || code === 'NOT_CONFIGURED') return this.#options.empty;
      // This person takes no part any more: what was shown before is not theirs to see.
      if (code === 'NOT_FOUND') this.set(this.#options.empty);
      throw thrown instanceof AppError ? thrown : toAppError(thrown);
    }
  }

  #show(value: T, number: number): void {
    this.#shown = number;
    this.#value = value;
    if (!this.#options.life.over) this.#options.onChange(value);
  }
}
