import { AppError } from '@teleconsult/protocol';

/** What came of a device at the door: `gone` lost its connection while it waited. */
export type AdmissionOutcome = 'admitted' | 'waited' | 'refused' | 'gone';

export interface AdmissionOptions {
  /** Devices let in within a second, over a longer time. */
  readonly perSecond: number;
  readonly onOutcome: (outcome: AdmissionOutcome) => void;
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
  /** 0 ≤ random() < 1. */
  readonly random?: () => number;
}

interface Waiting {
  readonly isThere: () => boolean;
  readonly since: number;
  readonly enter: () => void;
  readonly refuse: (error: AppError) => void;
}

/** How often those who wait are looked at. */
const TURN_MS = 10;
/**
 * What was not used is kept for so long. A process that comes late to its turn does not make up for it, so that what it
 * lets in follows what it can serve: the later its turns, the fewer enter.
 */
const KEPT_MS = 50;
/** A few devices at once never wait, however low the rate. */
const LEAST_KEPT = 5;
/** As many wait as enter within this time. Who waits longer is told when to come back instead. */
const WAITING_MS = 1_500;
const LONGEST_WAIT_MS = 4_000;
/** Of so many who enter, one is let in whose turn it would not be: those in a call never keep all others out. */
const FAIR_SHARE = 4;
/** Nobody is sent away for longer; whoever finds the door full then is told anew. */
const LONGEST_RETURN_MS = 10_000;
/** Those sent away for the longest are spread over this time. */
const LAST_SPREAD_MS = 5_000;

/**
 * The door of the server. After a restart everybody comes at once; each device that enters asks for its consultations,
 * and a server that lets all of them in serves none. So many a second enter, a bounded number waits in the order in
 * which it came, and whoever is over that is told a moment of its own to come back at (`OVERLOADED`, `retryAfterMs`)
 * before any work was done for it.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #most: number;
  readonly #longestQueue: number;
  /** Those in a running call, who have somebody waiting for them, and everybody else. */
  readonly #lines: { urgent: Waiting[]; others: Waiting[] } = { urgent: [], others: [] };
  #entered = 0;
  #tokens: number;
  #filledAt: number;
  /** Up to when moments to come back at are given away. */
  #bookedUntil = 0;
  /** When the lines were last rid of those who are gone. */
  #tidiedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#random = options.random ?? Math.random;
    const { perSecond } = options;
    this.#most = Math.max(LEAST_KEPT, (perSecond * KEPT_MS) / 1_000);
    this.#longestQueue = Math.max(LEAST_KEPT, Math.ceil((perSecond * WAITING_MS) / 1_000));
    this.#tokens = this.#most;
    this.#filledAt = this.#now();
  }

  /** How many wait now. */
  get waiting(): number {
    return this.#lines.urgent.length + this.#lines.others.length;
  }

  /**
   * Resolves when the device may enter. `isThere` is asked when its turn comes; who is gone takes nobody's place. Rejects
   * with `OVERLOADED`, or `SHUTTING_DOWN` once it is closed.
   */
  async enter(isThere: () => boolean, { isUrgent = false } = {}): Promise<void> {
    if (this.#isClosed) throw new AppError('SHUTTING_DOWN');
    this.#fill();
    if (this.waiting === 0 && this.#tokens >= 1) {
      this.#tokens -= 1;
      this.#options.onOutcome('admitted');
      return;
    }
    const name = isUrgent ? 'urgent' : 'others';
    const isFull = (): boolean => this.#lines[name].length >= this.#longestQueue;
    if (isFull()) this.#dropGone();
    if (isFull()) throw this.#refusal();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#lines[name].push({ isThere, since: this.#now(), enter: resolve, refuse: reject });
    this.#timer ??= setInterval(() => this.#turn(), TURN_MS);
    await promise;
  }

  /** Those who wait are refused. May be called twice. */
  close(): void {
    this.#isClosed = true;
    this.#rest();
    for (const line of [this.#lines.urgent, this.#lines.others])
      for (const { refuse } of line.splice(0)) refuse(new AppError('SHUTTING_DOWN'));
  }

  #turn(): void {
    this.#fill();
    while (this.#tokens >= 1 && this.waiting > 0) this.#letIn();
    if (this.waiting === 0) this.#rest();
  }

  #letIn(): void {
    const { urgent, others } = this.#lines;
    const isOthersTurn = urgent.length === 0 || (others.length > 0 && this.#entered % FAIR_SHARE === 0);
    const next = (isOthersTurn ? others : urgent).shift();
    if (next === undefined) return;
    if (!next.isThere()) this.#letGo(next);
    else if (this.#now() - next.since > LONGEST_WAIT_MS) next.refuse(this.#refusal());
    else {
      this.#tokens -= 1;
      this.#entered += 1;
      this.#options.onOutcome('waited');
      next.enter();
    }
  }

  /** Connections that come and go fill no line for those who stay. Not for each of a flood: it costs a look at all. */
  #dropGone(): void {
    const now = this.#now();
    if (now - this.#tidiedAt < TURN_MS) return;
    this.#tidiedAt = now;
    for (const name of ['urgent', 'others'] as const) {
      const { there = [], gone = [] } = Object.groupBy(this.#lines[name], ({ isThere }) =>
        isThere() ? 'there' : 'gone',
      );
      this.#lines[name] = there;
      for (const waiting of gone) this.#letGo(waiting);
    }
  }

  #letGo({ refuse }: Waiting): void {
    this.#options.onOutcome('gone');
    refuse(new AppError('DISCONNECTED'));
  }

  #fill(): void {
    const now = this.#now();
    const filled = this.#tokens + ((now - this.#filledAt) * this.#options.perSecond) / 1_000;
    this.#tokens = Math.min(filled, this.#most);
    this.#filledAt = now;
  }

  /** Each is given a moment after the one before, so that those who were refused together come back one by one. */
  #refusal(): AppError {
    this.#options.onOutcome('refused');
    const now = this.#now();
    const eachMs = 1_000 / this.#options.perSecond;
    const inMs = Math.max(this.#bookedUntil - now, this.waiting * eachMs);
    if (inMs >= LONGEST_RETURN_MS) return overloaded(LONGEST_RETURN_MS + this.#random() * LAST_SPREAD_MS);
    this.#bookedUntil = now + inMs + eachMs;
    return overloaded(inMs + this.#random() * eachMs);
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}

const overloaded = (retryAfterMs: number): AppError =>
  new AppError('OVERLOADED', { retryAfterMs: Math.ceil(retryAfterMs) });
