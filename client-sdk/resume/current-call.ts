import type { ActiveCall } from '../call.ts';

/** The call that this device takes part in. For the moment between two of them, the later one. */
export class CurrentCall {
  readonly #onChange: (call: ActiveCall | null) => void;
  readonly #taken = new Set<ActiveCall>();
  #call: ActiveCall | null = null;

  constructor(onChange: (call: ActiveCall | null) => void) {
    this.#onChange = onChange;
  }

  get call(): ActiveCall | null {
    return this.#call;
  }

  /** Whether this device takes part in the call may have changed. */
  handlePart(call: ActiveCall): void {
    if (call.takesPart) this.#taken.add(call);
    else this.#taken.delete(call);
    const latest = [...this.#taken].at(-1) ?? null;
    if (latest === this.#call) return;
    this.#call = latest;
    // What could not be answered may have been kept in its place.
    latest?.wishesChanged();
    this.#onChange(latest);
  }
}
