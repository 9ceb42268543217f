/** Two ways to carry sound: plain calls go to the anchor while it answers, all others and all else to our own thread. */
import type { PhoneMedia, PhoneSession, SessionOptions } from '../rtp/ports.ts';

export interface Anchor extends PhoneMedia {
  readonly isUp: boolean;
}

export interface EitherMediaParts {
  readonly anchor: Anchor;
  readonly own: PhoneMedia;
  /** The anchor answers and did not take a call; our own thread is asked. */
  readonly onRefused: (error: unknown) => void;
}

export class EitherMedia implements PhoneMedia {
  readonly #parts: EitherMediaParts;

  constructor(parts: EitherMediaParts) {
    this.#parts = parts;
  }

  get sessions(): number {
    return this.#parts.anchor.sessions + this.#parts.own.sessions;
  }

  async open(options: SessionOptions): Promise<PhoneSession> {
    const { anchor, own, onRefused } = this.#parts;
    if (options.isPlain !== true || !anchor.isUp) return await own.open(options);
    try {
      return await anchor.open(options);
    } catch (error) {
      onRefused(error);
      return await own.open(options);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#parts.anchor.close(), this.#parts.own.close()]);
  }
}
