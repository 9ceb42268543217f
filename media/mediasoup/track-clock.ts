/** A packet of a track: its RTP time stamp, and when it left, in milliseconds of this machine's monotonic clock. */
export interface TimedPacket {
  readonly timestamp: number;
  readonly at: number;
}

/**
 * Whether the time stamps of a track go on as fast as this machine's clock. A sender that stops its clock while it is muted
 * goes on where it stopped, and what a file holds after the pause would be placed too early by the length of it.
 */
export class TrackClock {
  readonly #ticksPerMs: number;
  #anchor: TimedPacket | null = null;

  /** @param clockRate ticks of the time stamps a second */
  constructor(clockRate: number) {
    this.#ticksPerMs = clockRate / 1_000;
  }

  /** From here on it is measured. Moved along from time to time, two clocks that merely run unevenly never look like a jump. */
  anchor(packet: TimedPacket): void {
    this.#anchor = packet;
  }

  /** Milliseconds by which the time stamps are ahead (or behind, below 0) of the anchor; 0 without one. */
  driftMs({ timestamp, at }: TimedPacket): number {
    if (this.#anchor === null) return 0;
    const expected = this.#anchor.timestamp + (at - this.#anchor.at) * this.#ticksPerMs;
    // Time stamps have 32 bits and begin anywhere (RFC 3550 §5.1): `| 0` takes the shorter way round.
    return (Math.round(timestamp - expected) | 0) / this.#ticksPerMs;
  }
}
