import type { LegName, PhoneSession } from '../rtp/ports.ts';

export interface SilenceWatchParts {
  readonly session: Pick<PhoneSession, 'statistics'>;
  /** Whose sound is waited for; left out: of either. */
  readonly of?: readonly LegName[];
  readonly everyMs: number;
  readonly silentMs: number;
  /** Who holds sends nothing, and is not missed. */
  readonly isHeld: () => boolean;
  readonly onSilent: () => void;
}

/** Notices that nothing comes from either phone: nobody is there, and nobody has told us. */
export class SilenceWatch {
  readonly #parts: SilenceWatchParts;
  readonly #packets: Record<LegName, number> = { a: -1, b: -1 };
  #heardAt = performance.now();
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: SilenceWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#heardAt = performance.now();
    this.#timer = setInterval(() => void this.#look(), this.#parts.everyMs);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #look(): Promise<void> {
    const { session, of = ['a', 'b'], silentMs, isHeld, onSilent } = this.#parts;
    const heard = await session.statistics();
    if (this.#timer === null) return;
    if (isHeld() || of.some((leg) => heard[leg].packetsIn !== this.#packets[leg])) {
      for (const leg of of) this.#packets[leg] = heard[leg].packetsIn;
      this.#heardAt = performance.now();
    } else if (performance.now() - this.#heardAt >= silentMs) {
      this.stop();
      onSilent();
    }
  }
}
