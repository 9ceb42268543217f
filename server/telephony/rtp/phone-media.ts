/** The sound of all phone calls: ports, sessions, and the thread that carries them, which is replaced when it dies. */
import { randomInt } from 'node:crypto';
import { isIP } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { LiveSession } from './live-session.ts';
import { MediaLink, type StartThread, startMediaThread } from './media-link.ts';
import type { FromMedia, MediaSettings } from './media-protocol.ts';
import { PortPairs, type PortRange } from './port-pairs.ts';
import type { PhoneMedia, PhoneSession, SessionOptions } from './ports.ts';

/** What of a call is still under way reaches nobody else's. */
const PORTS_REST_MS = 10_000;
const OPEN_TO_ANYBODY_MS = 5_000;
const SILENT_AFTER_MS = 10_000;
/** RFC 6263 asks for a packet in 15 s, or ways through NAT close; carriers end calls they hear nothing of, some after 30 s. */
const KEEP_OPEN_AFTER_MS = 10_000;
/** Ports that other programs hold are passed over so often. */
const MOST_TRIES = 8;
/** A call waits so long for a thread that is being replaced. */
const THREAD_WITHIN_MS = 3_000;
const LONGEST_PAUSE_MS = 5_000;
/** A thread that lived so long was sound: the next is started at once. */
const SOUND_AFTER_MS = 10_000;

export interface PhoneMediaOptions {
  /** Four ports a call; not shared with anything else on the machine. */
  readonly ports: PortRange;
  readonly portsRestMs?: number;
  /** How long a leg with the source `first` believes anybody after its address was signalled. */
  readonly openToAnybodyMs?: number;
  /** After so long without a packet a leg is told to be silent. */
  readonly silentAfterMs?: number;
  /** After so long without sound for it a leg is sent a moment of silence, so that the way to it stays open. */
  readonly keepOpenAfterMs?: number;
  /** Told when the thread has died; it is replaced by itself. */
  readonly onThreadDied?: () => void;
  readonly startThread?: StartThread;
}

/** @throws RangeError for a range without room, Error when the thread does not start */
export async function startPhoneMedia(options: PhoneMediaOptions): Promise<PhoneMedia> {
  const media = new ThreadedPhoneMedia(options);
  await media.start();
  return media;
}

type Answer = 'opened' | 'taken' | 'failed' | 'died';

class ThreadedPhoneMedia implements PhoneMedia {
  readonly #pairs: PortPairs;
  readonly #settings: MediaSettings;
  readonly #options: PhoneMediaOptions;
  readonly #sessions = new Map<number, LiveSession>();
  readonly #opening = new Map<number, (answer: Answer) => void>();
  readonly #closing = new AbortController();
  #link: MediaLink | null = null;
  /** Settles when there is a thread again, or this is closed. */
  #ready: Promise<void> = Promise.resolve();
  #pauseMs = 0;
  #lastId = 0;

  constructor(options: PhoneMediaOptions) {
    this.#options = options;
    this.#pairs = new PortPairs(options.ports, options.portsRestMs ?? PORTS_REST_MS);
    this.#settings = {
      openMs: options.openToAnybodyMs ?? OPEN_TO_ANYBODY_MS,
      silentAfterMs: options.silentAfterMs ?? SILENT_AFTER_MS,
      keepOpenAfterMs: options.keepOpenAfterMs ?? KEEP_OPEN_AFTER_MS,
    };
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  async start(): Promise<void> {
    const startedAt = performance.now();
    const link = await MediaLink.start(
      this.#options.startThread ?? startMediaThread,
      this.#settings,
      (message) => this.#handle(message),
    );
    if (this.#closing.signal.aborted) {
      await link.end();
      return;
    }
    this.#link = link;
    void link.exited.then(() => this.#died(link, performance.now() - startedAt));
  }

  async open(options: SessionOptions): Promise<PhoneSession> {
    for (const address of [options.address.a, options.address.b])
      if (isIP(address) === 0) throw new Error('telephone sound: a leg is opened on an address, not a name');
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const link = await this.#thread();
      const opened = await this.#tryOpen(link, options);
      if (opened !== null) return opened;
    }
    throw new Error('telephone sound: other programs hold the ports of its range');
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#ready.catch(() => undefined);
    await this.#link?.end();
  }

  async #thread(): Promise<MediaLink> {
    if (this.#link === null) {
      const given = new AbortController();
      const late = wait(THREAD_WITHIN_MS, undefined, { signal: given.signal }).catch(() => undefined);
      await Promise.race([this.#ready, late]);
      given.abort();
    }
    if (this.#link === null || this.#closing.signal.aborted)
      throw new Error('telephone sound: the thread is gone');
    return this.#link;
  }

  /** Null: a port was taken. */
  async #tryOpen(link: MediaLink, options: SessionOptions): Promise<PhoneSession | null> {
    const ports = this.#lendPorts();
    const ssrc = { a: randomInt(1, 0x100000000), b: randomInt(1, 0x100000000) };
    this.#lastId += 1;
    const id = this.#lastId;
    const place = (leg: 'a' | 'b') => ({
      address: options.address[leg],
      port: ports[leg],
      ssrc: ssrc[leg],
      source: options.source[leg],
    });
    const answer = await new Promise<Answer>((resolve) => {
      this.#opening.set(id, resolve);
      link.post({ type: 'open', id, legs: { a: place('a'), b: place('b') } });
    });
    this.#opening.delete(id);
    if (answer === 'opened') {
      const { from, to } = this.#options.ports;
      const session = new LiveSession({
        id,
        ports,
        ssrc,
        options,
        isOurs: (port) => port >= from && port <= to,
        post: (message) => link.post(message),
      });
      this.#sessions.set(id, session);
      return session;
    }
    this.#takeBack(ports);
    if (answer === 'taken') return null;
    throw new Error(
      answer === 'died'
        ? 'telephone sound: the thread died'
        : 'telephone sound: the address of a leg cannot be opened',
    );
  }

  #lendPorts(): { a: number; b: number } {
    const now = performance.now();
    const a = this.#pairs.lend(now);
    const b = this.#pairs.lend(now);
    if (a !== null && b !== null) return { a, b };
    if (a !== null) this.#pairs.unlend(a);
    throw new Error('telephone sound: no port is free');
  }

  #takeBack(ports: { readonly a: number; readonly b: number }): void {
    const now = performance.now();
    this.#pairs.giveBack(ports.a, now);
    this.#pairs.giveBack(ports.b, now);
  }

  #handle(message: Extract<FromMedia, { id: number }>): void {
    if (message.type === 'opened') this.#opening.get(message.id)?.('opened');
    if (message.type === 'refused') this.#opening.get(message.id)?.(message.reason);
    const session = this.#sessions.get(message.id);
    if (session === undefined) return;
    session.handle(message);
    if (message.type !== 'closed') return;
    this.#sessions.delete(message.id);
    this.#takeBack(session.ports);
  }

  #died(link: MediaLink, livedMs: number): void {
    if (this.#link === link) this.#link = null;
    for (const answer of this.#opening.values()) answer('died');
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const { ports } of sessions) this.#takeBack(ports);
    if (!this.#closing.signal.aborted) {
      this.#pauseMs = livedMs >= SOUND_AFTER_MS ? 0 : Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
      this.#ready = this.#replace();
      this.#options.onThreadDied?.();
    }
    for (const session of sessions) session.fail();
  }

  async #replace(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        await wait(this.#pauseMs, undefined, { signal: this.#closing.signal });
        this.#pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(100, this.#pauseMs));
        await this.start();
        return;
      } catch {
        // Closed, or it did not start: the next try comes later.
        this.#pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(100, this.#pauseMs * 2));
      }
    }
  }
}
