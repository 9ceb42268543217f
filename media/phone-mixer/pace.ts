/** How often a telephone is sent a packet. */
const INTERVAL_MS = 20;

/** After standing still for longer than this it goes on with the present: what was missed would all be heard late. */
const LONGEST_BURST = 5;

/** A beat of 20 ms that does not drift: a timer that fires late fires the next time sooner. */
export class Pace {
  readonly #onBeat: (missed: number) => void;
  #timer: NodeJS.Timeout | null = null;
  #nextAt = 0;

  /** @param onBeat is told of how many beats were left out just before */
  constructor(onBeat: (missed: number) => void) {
    this.#onBeat = onBeat;
  }

  get isRunning(): boolean {
    return this.#timer !== null;
  }

  /** May be called twice. */
  start(): void {
    if (this.#timer !== null) return;
    this.#nextAt = performance.now() + INTERVAL_MS;
    this.#wait();
  }

  /** May be called twice. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #wait(): void {
    this.#timer = setTimeout(() => this.#beat(), Math.max(0, this.#nextAt - performance.now()));
  }

  #beat(): void {
    const due = 1 + Math.floor((performance.now() - this.#nextAt) / INTERVAL_MS);
    if (due >= 1) {
      const missed = due > LONGEST_BURST ? due - 1 : 0;
      this.#nextAt += due * INTERVAL_MS;
      if (missed > 0) this.#onBeat(missed);
      else for (let beat = 0; beat < due; beat += 1) this.#onBeat(0);
    }
    if (this.#timer !== null) this.#wait();
  }
}
