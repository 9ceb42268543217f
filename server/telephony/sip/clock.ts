/** Time as the transactions see it; tests give their own. */
export interface SipClock {
  /** Milliseconds that only rise. */
  now(): number;
  after(ms: number, run: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

export const systemClock: SipClock = {
  now: () => performance.now(),
  after(ms, run) {
    const handle = setTimeout(run, ms);
    return { cancel: () => clearTimeout(handle) };
  },
};

/** What goes wrong in a timer is told, and ends neither the other calls nor the server. */
export const guardedClock = (clock: SipClock, onError: (error: unknown) => void): SipClock => ({
  now: () => clock.now(),
  after: (ms, run) =>
    clock.after(ms, () => {
      try {
        run();
      } catch (error) {
        onError(error);
      }
    }),
});

/** Timer values in milliseconds (RFC 3261, appendix A); all grow and shrink with T1. */
export interface SipTimers {
  readonly t1: number;
  readonly t2: number;
  readonly t4: number;
  /** 64 × T1: timers B, F, H, J, L, M, and D, which the standard wants to be 32 s at least. */
  readonly giveUp: number;
  /** 100 Trying goes out when nothing else has by then. */
  readonly trying: number;
  /** Timer C: how long an INVITE may ring without any news. */
  readonly c: number;
  /** A call that rings says so again as often (RFC 3261 §13.3.1.1). */
  readonly ringAgain: number;
  /** What a second of the headers Session-Expires, Expires and Retry-After is. */
  readonly second: number;
}

export const sipTimers = (t1 = 500): SipTimers => ({
  t1,
  t2: 8 * t1,
  t4: 10 * t1,
  giveUp: 64 * t1,
  trying: 0.4 * t1,
  c: 360 * t1,
  ringAgain: 120 * t1,
  second: 2 * t1,
});

/** The named timers of one thing; a name that is set again starts anew, and none outlives `clear`. */
export class Timers<Name extends string> {
  readonly #clock: SipClock;
  readonly #running = new Map<Name, Timer>();

  constructor(clock: SipClock) {
    this.#clock = clock;
  }

  set(name: Name, ms: number, run: () => void): void {
    this.stop(name);
    const timer = this.#clock.after(ms, () => {
      this.#running.delete(name);
      run();
    });
    this.#running.set(name, timer);
  }

  stop(name: Name): void {
    this.#running.get(name)?.cancel();
    this.#running.delete(name);
  }

  clear(): void {
    for (const timer of this.#running.values()) timer.cancel();
    this.#running.clear();
  }
}
