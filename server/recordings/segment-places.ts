/** A segment's right to run. */
export interface SegmentPlace {
  /** May be called twice. */
  release(): void;
}

/** How many segments may run at the same time: each is a process, two ports and a file. */
export class SegmentPlaces {
  readonly #most: number;
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get free(): number {
    return this.#most - this.#taken;
  }

  /** Null when as many run as may. */
  take(): SegmentPlace | null {
    if (this.free <= 0) return null;
    this.#taken += 1;
    let isHeld = true;
    return {
      release: () => {
        if (isHeld) this.#taken -= 1;
        isHeld = false;
      },
    };
  }
}
