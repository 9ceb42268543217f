import type { Subscribe } from './api.ts';

type Listener<T> = (payload: T) => void;

/**
 * A small typed emitter. A listener that throws stops neither the other listeners nor the SDK: its error is
 * reported to the page (or process) as an uncaught one, where the app's own error reporting sees it.
 */
export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  readonly on: Subscribe<Events> = (event, listener) => {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    // A wrapper of its own, so that the same function may subscribe twice and unsubscribe each time.
    const own: Listener<never> = (payload) => listener(payload);
    listeners.add(own);
    return () => listeners.delete(own);
  };

  emit<K extends keyof Events & string>(event: K, payload: Events[K]): void {
    const listeners = this.#listeners.get(event) as ReadonlySet<Listener<Events[K]>> | undefined;
    // A copy: whoever subscribes while this event is told hears the next one.
    const present = Array.from(listeners ?? []);
    for (const listener of present) {
      try {
        listener(payload);
      } catch (error) {
        reportUncaught(error);
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}

/** An error of the app's own code, told where the app's error reporting sees it. */
export function reportUncaught(error: unknown): void {
  if (typeof globalThis.reportError === 'function') {
    globalThis.reportError(error);
    return;
  }
  queueMicrotask(() => {
    throw error;
  });
}
