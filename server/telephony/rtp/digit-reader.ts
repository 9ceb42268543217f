/** Digits pressed on a telephone, out of the packets that repeat each of them many times (RFC 4733). */

const DIGITS = '0123456789*#ABCD';
/** An event whose end was lost is over when nothing more of it has come for so long. */
const END_LOST_AFTER_MS = 200;
/** Faster than a telephone can: no tone and pause is shorter (ITU-T Q.24). Whoever sends more is not pressing keys. */
const SHORTEST_BETWEEN_MS = 40;
/** Ends are repeated, and a late one may follow the next digit. */
const ENDED_REMEMBERED = 8;
/** An event this long goes on under a new time stamp (RFC 4733 §2.5.1.3). */
const LONGEST_DURATION = 0xff00;

export interface TelephoneEvent {
  readonly code: number;
  readonly ended: boolean;
  /** dBm0 without sign, 0 to 63. */
  readonly volume: number;
  /** In samples. */
  readonly duration: number;
}

/** Null for what is no digit. */
export function readTelephoneEvent(payload: Uint8Array): TelephoneEvent | null {
  const [code, flags, high, low] = payload;
  if (code === undefined || flags === undefined || high === undefined || low === undefined) return null;
  if (code >= DIGITS.length) return null;
  return { code, ended: (flags & 0x80) !== 0, volume: flags & 0x3f, duration: (high << 8) | low };
}

interface Running {
  timestamp: number;
  readonly code: number;
  duration: number;
  seenAt: number;
}

export class DigitReader {
  readonly #onDigit: (digit: string) => void;
  #running: Running | null = null;
  #ended: number[] = [];
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(onDigit: (digit: string) => void) {
    this.#onDigit = onDigit;
  }

  handle(event: TelephoneEvent, timestamp: number, now: number): void {
    if (this.#ended.includes(timestamp)) return;
    const running = this.#running;
    if (running === null) this.#running = { timestamp, code: event.code, duration: 0, seenAt: now };
    else if (running.timestamp !== timestamp) {
      // An old one that was overtaken says nothing new.
      if (((timestamp - running.timestamp) | 0) < 0) return;
      if (running.code === event.code && running.duration >= LONGEST_DURATION) running.timestamp = timestamp;
      else {
        this.#finish(now);
        this.#running = { timestamp, code: event.code, duration: 0, seenAt: now };
      }
    }
    const current = this.#running;
    if (current === null) return;
    current.duration = event.duration;
    current.seenAt = now;
    if (event.ended) this.#finish(now);
  }

  /** Ends what has been left without an end. */
  tick(now: number): void {
    if (this.#running !== null && now - this.#running.seenAt >= END_LOST_AFTER_MS) this.#finish(now);
  }

  /** Another stream has other time stamps. */
  reset(now: number): void {
    if (this.#running !== null) this.#finish(now);
    this.#ended = [];
  }

  #finish(now: number): void {
    const running = this.#running;
    if (running === null) return;
    this.#running = null;
    this.#ended = [...this.#ended.slice(1 - ENDED_REMEMBERED), running.timestamp];
    if (now - this.#toldAt < SHORTEST_BETWEEN_MS) return;
    this.#toldAt = now;
    this.#onDigit(DIGITS.charAt(running.code));
  }
}
