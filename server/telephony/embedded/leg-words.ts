import { setTimeout as wait } from 'node:timers/promises';
import type { PromptId } from '../ports.ts';

export interface KeyQuestion {
  /** null: they know what is asked, and nothing is said. */
  readonly prompt: PromptId | null;
  readonly digits: string;
  /** After it was said; null: for as long as nobody stops it. */
  readonly withinMs: number | null;
  readonly signal?: AbortSignal;
}

export interface LegWordsParts {
  /** Says it; whether somebody could hear all of it. */
  readonly speak: (prompt: PromptId, stop: AbortSignal) => Promise<boolean>;
  /** Aborted when the phone is gone. */
  readonly gone: AbortSignal;
}

/** What is said to one phone and asked of it, and the keys that answer. */
export class LegWords {
  readonly #parts: LegWordsParts;
  /** Who waits for a key. */
  readonly #listeners = new Set<(digit: string) => void>();
  /** What is said, until it was. */
  #speech: Promise<unknown> = Promise.resolve();

  constructor(parts: LegWordsParts) {
    this.#parts = parts;
  }

  say(prompt: PromptId, signal?: AbortSignal): Promise<boolean> {
    const said = this.#parts.speak(prompt, this.#stopping(signal));
    this.#speech = Promise.allSettled([this.#speech, said]);
    return said;
  }

  /** null: no such key in time, stopped, or the phone is gone. */
  async ask({ prompt, digits, withinMs, signal }: KeyQuestion): Promise<string | null> {
    const pressed = Promise.withResolvers<string | null>();
    const enough = new AbortController();
    const stop = AbortSignal.any([this.#stopping(signal), enough.signal]);
    if (stop.aborted) return null;
    stop.addEventListener('abort', () => pressed.resolve(null), { once: true });
    const listen = (digit: string): void => {
      if (digits.includes(digit)) pressed.resolve(digit);
    };
    try {
      // A key that is pressed while something else is said is no answer to this.
      await Promise.race([this.#speech, pressed.promise]);
      this.#listeners.add(listen);
      const said = prompt === null ? Promise.resolve() : this.say(prompt, stop);
      const silence = said
        .then(() => (withinMs === null ? pressed.promise : wait(withinMs, null, { signal: stop })))
        .catch(() => null);
      return await Promise.race([pressed.promise, silence]);
    } finally {
      this.#listeners.delete(listen);
      enough.abort();
    }
  }

  pressed(digit: string): void {
    for (const listener of this.#listeners) listener(digit);
  }

  #stopping(signal: AbortSignal | undefined): AbortSignal {
    const { gone } = this.#parts;
    return signal === undefined ? gone : AbortSignal.any([signal, gone]);
  }
}
