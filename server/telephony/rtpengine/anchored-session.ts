/**
 * A call's sound, carried by the daemon. What is wanted of it (where both listen, what passes) is kept here, and brought about
 * there by one thing after the other: first what is to stop, then where, then what is to pass. A command that fails ends the
 * session: nobody is to talk on through something whose state is not known.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { PhoneCallTape } from '../ports.ts';
import { checkRemote } from '../rtp/live-session.ts';
import type {
  LegName,
  LegRemote,
  LegStatistics,
  PhoneSession,
  SessionEvent,
  SessionOptions,
} from '../rtp/ports.ts';
import { plainHost } from '../rtp/source-gate.ts';
import { type DaemonCall, PIECE_SAMPLES } from './daemon-call.ts';
import type { LegCount } from './leg-counts.ts';
import type { LegPlace } from './leg-sdp.ts';
import { OneAtATime } from './one-at-a-time.ts';

const SAMPLES_PER_MS = 8;
/** No announcement lasts a minute. */
const MOST_PROMPT_SAMPLES = 60_000 * SAMPLES_PER_MS;
/** Announcements that wait for their turn at one ear; one more is not said. */
const MOST_WAITING = 8;
/** Keys that wait to be passed on; nobody presses more in the time of a command. */
const MOST_KEYS_WAITING = 16;
const LEGS: readonly LegName[] = ['a', 'b'];

export interface AnchoredSessionParts {
  /** Spreads the turns in which sessions are asked for. */
  readonly number: number;
  readonly call: DaemonCall;
  readonly options: SessionOptions;
  /** Milliseconds, never set back. */
  readonly clock: () => number;
  readonly silentAfterMs: number;
  /**
   * The daemon closes a call that it has heard nothing of for a while (its `timeout`, a minute as it is installed): one that
   * rings, or that both hold. So after such a time it is told again what it knows.
   */
  readonly remindAfterMs: number;
  /** Whether a port is one that sound of our own calls runs on. */
  readonly isOurs: (port: number) => boolean;
  /** It has ended; the daemon may still have to be told. */
  readonly onOver: () => void;
}

interface Leg {
  remote: LegRemote | null;
  /** Where it listens; kept while it holds the old way, without an address. */
  place: LegPlace | null;
  /** Announcements it is told or is to be told. */
  announcements: number;
  readonly turn: OneAtATime;
  /** As the daemon has it. */
  isLetThrough: boolean;
  packetsIn: number;
  packetsOut: number;
  dropped: number;
  heardAt: number;
  isSilent: boolean;
}

export class AnchoredSession implements PhoneSession {
  /** Not known: the daemon chooses its own as it sends. */
  readonly ssrc = { a: 0, b: 0 } as const;
  readonly #parts: AnchoredSessionParts;
  readonly #legs: Readonly<Record<LegName, Leg>>;
  readonly #over = new AbortController();
  readonly #commands = new OneAtATime();
  #isBridged = false;
  /** Something was changed that has not been looked at yet. */
  #isStale = false;
  #signalled = '';
  /** When it last heard of the call, by sound or by us. */
  #remindedAt: number;
  #changing: Promise<void> | null = null;
  #counting: Promise<void> | null = null;
  #ending: Promise<void> | null = null;
  #keysWaiting = 0;

  constructor(parts: AnchoredSessionParts) {
    this.#parts = parts;
    this.#remindedAt = parts.clock();
    const leg = (): Leg => ({
      remote: null,
      place: null,
      announcements: 0,
      turn: new OneAtATime(),
      isLetThrough: false,
      packetsIn: 0,
      packetsOut: 0,
      dropped: 0,
      heardAt: parts.clock(),
      isSilent: false,
    });
    this.#legs = { a: leg(), b: leg() };
  }

  get ports(): Readonly<Record<LegName, number>> {
    return this.#parts.call.ports;
  }

  get number(): number {
    return this.#parts.number;
  }

  setRemote(name: LegName, remote: LegRemote): void {
    const { options, isOurs } = this.#parts;
    const checked = checkRemote(remote, options.address[name]);
    // Whoever writes it would have one call of ours talk into another.
    if (plainHost(remote.host) === plainHost(options.address[name]) && isOurs(remote.port))
      throw new RangeError('telephone sound: the other side is a call of ours');
    const leg = this.#legs[name];
    const spoke = speaks(leg);
    leg.remote = checked;
    // Who holds the old way names no address; the last one is kept for when they come back.
    if (checked.direction !== 'none') leg.place = placeOf(checked);
    if (!spoke) leg.heardAt = this.#parts.clock();
    this.#change();
  }

  bridge(on: boolean): void {
    this.#isBridged = on;
    this.#change();
  }

  async say(name: LegName, prompt: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (prompt.length > MOST_PROMPT_SAMPLES)
      throw new RangeError('telephone sound: an announcement is too long');
    const leg = this.#legs[name];
    if (prompt.length === 0 || leg.announcements >= MOST_WAITING) return;
    const stop = signal === undefined ? this.#over.signal : AbortSignal.any([signal, this.#over.signal]);
    if (stop.aborted) return;
    leg.announcements += 1;
    this.#change();
    const stopped = Promise.withResolvers<void>();
    const resolve = (): void => stopped.resolve();
    stop.addEventListener('abort', resolve, { once: true });
    try {
      // One that is stopped does not wait for the one before it.
      await Promise.race([leg.turn.run(() => this.#speak(name, prompt, stop)), stopped.promise]);
    } finally {
      stop.removeEventListener('abort', resolve);
      leg.announcements -= 1;
      this.#change();
    }
  }

  /** The sound is not here: a call that is to be recorded is not carried by the daemon, and one that is all the same says so. */
  record(tape: PhoneCallTape | null): void {
    if (tape !== null && !this.#isOver) this.#parts.options.onTapeFailed?.();
  }

  async statistics(): Promise<Readonly<Record<LegName, LegStatistics>>> {
    // Who asks sees what was brought about, not what was still on its way.
    while (this.#changing !== null) await this.#changing;
    if (this.#isOver) await this.#ending;
    else await this.look();
    return { a: statisticsOf(this.#legs.a), b: statisticsOf(this.#legs.b) };
  }

  close(): void {
    if (!this.#isOver) this.#end(true);
  }

  /** Asks the daemon how it is; a session it does not know any more has failed. Never rejects. */
  look(): Promise<void> {
    this.#counting ??= this.#look().finally(() => {
      this.#counting = null;
    });
    return this.#counting;
  }

  /** The daemon is gone, or says no. */
  fail(): void {
    if (this.#isOver) return;
    this.#end(false);
    this.#parts.options.onEvent({ type: 'failed' });
  }

  /** Resolves when the daemon has been told that it is over, or cannot be. Never rejects. */
  async ended(): Promise<void> {
    await this.#ending;
  }

  /** A key was pressed on this leg's telephone. */
  pressed(name: LegName, digit: string): void {
    if (this.#isOver || !speaks(this.#legs[name])) return;
    this.#tell({ type: 'digit', leg: name, digit });
    if (!this.#mayPass(name) || this.#keysWaiting >= MOST_KEYS_WAITING) return;
    this.#keysWaiting += 1;
    void this.#commands
      .run(() => this.#parts.call.press(name, digit))
      // A key that is not passed on is no reason to hang up; a daemon that is gone is noticed by whoever asks for it.
      .catch(() => undefined)
      .finally(() => {
        this.#keysWaiting -= 1;
      });
  }

  get #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** Whether what comes from a leg is to reach the other now. */
  #mayPass(from: LegName): boolean {
    const ear = this.#legs[other(from)];
    return this.#isBridged && speaks(this.#legs[from]) && hears(ear) && ear.announcements === 0;
  }

  #change(): void {
    if (this.#isOver) return;
    this.#isStale = true;
    this.#changing ??= this.#commands
      .run(() => this.#bringAbout())
      .catch(() => this.fail())
      .finally(() => {
        this.#changing = null;
        if (this.#isStale) this.#change();
      });
  }

  /** Until nothing differs from what is wanted, which may change meanwhile. */
  async #bringAbout(): Promise<void> {
    const { call } = this.#parts;
    for (;;) {
      this.#isStale = false;
      if (this.#isOver) return;
      const closing = LEGS.find((name) => this.#legs[name].isLetThrough && !this.#mayPass(name));
      if (closing !== undefined) {
        await call.letThrough(closing, false);
        this.#legs[closing].isLetThrough = false;
        continue;
      }
      const places = { a: this.#legs.a.place, b: this.#legs.b.place };
      const wanted = JSON.stringify(places);
      if (wanted !== this.#signalled) {
        await call.signal(places);
        this.#signalled = wanted;
        this.#remindedAt = this.#parts.clock();
        continue;
      }
      const opening = LEGS.find((name) => !this.#legs[name].isLetThrough && this.#mayPass(name));
      if (opening === undefined) return;
      this.#legs[opening].isLetThrough = true;
      await call.letThrough(opening, true);
    }
  }

  /** Piece by piece, by the clock. Who holds, or has not said where they listen, hears nothing, and the time passes. */
  async #speak(name: LegName, prompt: Uint8Array, stop: AbortSignal): Promise<void> {
    const { call, clock } = this.#parts;
    if (stop.aborted) return;
    while (this.#changing !== null) await this.#changing;
    let dueAt = clock();
    for (let from = 0; from < prompt.length && !stop.aborted; from += PIECE_SAMPLES) {
      const piece = prompt.subarray(from, from + PIECE_SAMPLES);
      const isHeard = hears(this.#legs[name]);
      if (isHeard) await this.#commanded(() => call.play(name, piece));
      dueAt = Math.max(dueAt, clock()) + piece.length / SAMPLES_PER_MS;
      await wait(Math.max(0, dueAt - clock()), undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted && isHeard && !this.#isOver) await this.#commanded(() => call.stopPlaying(name));
    }
  }

  async #commanded(command: () => Promise<void>): Promise<void> {
    try {
      await command();
    } catch {
      this.fail();
    }
  }

  async #look(): Promise<void> {
    if (this.#isOver) return;
    try {
      this.#count(await this.#parts.call.counts());
    } catch {
      this.fail();
    }
    if (this.#parts.clock() - this.#remindedAt < this.#parts.remindAfterMs) return;
    this.#signalled = '';
    this.#change();
  }

  #count(counts: Readonly<Record<LegName, LegCount>>): void {
    const now = this.#parts.clock();
    for (const name of LEGS) {
      const leg = this.#legs[name];
      const ear = this.#legs[other(name)];
      const { packets, dropped } = counts[name];
      const came = packets - dropped - leg.packetsIn;
      if (came > 0) this.#remindedAt = now;
      if (leg.packetsIn === 0 && came > 0) this.#tell({ type: 'firstPacket', leg: name });
      // The daemon does not count what leaves; without an announcement it is what came in on the other side.
      if (came > 0 && leg.isLetThrough) ear.packetsOut += came;
      leg.packetsIn += Math.max(0, came);
      leg.dropped = dropped;
      if (came > 0 || !speaks(leg)) {
        leg.heardAt = now;
        leg.isSilent = false;
      } else if (!leg.isSilent && now - leg.heardAt >= this.#parts.silentAfterMs) {
        leg.isSilent = true;
        this.#tell({ type: 'silent', leg: name, ms: Math.round(now - leg.heardAt) });
      }
    }
  }

  #tell(event: SessionEvent): void {
    if (!this.#isOver) this.#parts.options.onEvent(event);
  }

  #end(isThere: boolean): void {
    this.#over.abort();
    this.#ending = this.#finish(isThere).catch(() => undefined);
    this.#parts.onOver();
  }

  /** What it does not answer to now is taken back when it answers again. */
  async #finish(isThere: boolean): Promise<void> {
    const { call } = this.#parts;
    try {
      if (isThere) this.#count(await call.counts());
    } finally {
      await call.end();
    }
  }
}

const other = (name: LegName): LegName => (name === 'a' ? 'b' : 'a');

const speaks = ({ remote }: Leg): boolean => remote?.direction === 'both' || remote?.direction === 'receive';

const hears = ({ remote }: Leg): boolean => remote?.direction === 'both' || remote?.direction === 'send';

const placeOf = ({ host, port, codec, telephoneEvent }: LegRemote): LegPlace => ({
  host,
  port,
  codec,
  telephoneEvent,
});

const statisticsOf = ({ packetsIn, packetsOut, dropped }: Leg): LegStatistics => ({
  packetsIn,
  packetsOut,
  dropped,
  lost: 0,
});
