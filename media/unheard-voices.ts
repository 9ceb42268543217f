/** How long a device has to begin its second sound track: a round trip, a negotiation, and a slow phone. */
export const SECOND_VOICE_PATIENCE_MS = 3_000;

/** Watches whose voice a telephone should hear and does not. Who comes and goes is told at once, who is missing after a while. */
export class UnheardVoices {
  readonly #current: () => readonly string[];
  readonly #onChange: (seatIds: readonly string[]) => void;
  /** Since when somebody is not heard, in milliseconds of a monotonic clock. */
  readonly #since = new Map<string, number>();
  #told: readonly string[] = [];
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: {
    /** Ids of the seats that are not heard now. */
    readonly current: () => readonly string[];
    readonly onChange: (seatIds: readonly string[]) => void;
  }) {
    this.#current = options.current;
    this.#onChange = options.onChange;
  }

  /** Something changed that may matter. */
  look(): void {
    if (this.#closed) return;
    const now = performance.now();
    const unheard = new Set(this.#current());
    for (const seatId of [...this.#since.keys()]) if (!unheard.has(seatId)) this.#since.delete(seatId);
    for (const seatId of unheard) if (!this.#since.has(seatId)) this.#since.set(seatId, now);
    const due = (since: number): boolean => now - since >= SECOND_VOICE_PATIENCE_MS;
    const told = [...this.#since].filter(([, since]) => due(since)).map(([seatId]) => seatId);
    this.#lookAgain(
      [...this.#since.values()].filter((since) => !due(since)),
      now,
    );
    const isSame = told.length === this.#told.length && told.every((seatId) => this.#told.includes(seatId));
    if (isSame) return;
    this.#told = told;
    this.#onChange(told);
  }

  /** May be called twice. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #lookAgain(waiting: readonly number[], now: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (waiting.length === 0) return;
    this.#timer = setTimeout(() => this.look(), Math.min(...waiting) + SECOND_VOICE_PATIENCE_MS - now + 1);
    this.#timer.unref();
  }
}
