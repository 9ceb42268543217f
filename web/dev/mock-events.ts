/** The SDK's event interface, for mocks. */
export class MockEvents<Events> {
  readonly #listeners = new Map<keyof Events, Set<(payload: never) => void>>();

  readonly on = <K extends keyof Events & string>(event: K, listener: (payload: Events[K]) => void) => {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  };

  emit<K extends keyof Events & string>(event: K, payload: Events[K]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])])
      (listener as (payload: Events[K]) => void)(payload);
  }
}
