/**
 * The sound of calls in a daemon of rtpengine: opens sessions there, notices that the daemon dies, is away or has forgotten a
 * call, and takes back what an earlier process has left in it.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { PhoneMedia, PhoneSession, SessionOptions } from '../rtp/ports.ts';
import { AnchoredSession } from './anchored-session.ts';
import { DaemonCall } from './daemon-call.ts';
import { DigitListener } from './digit-listener.ts';
import { type NgAddress, NgClient, NgError, type NgTuning } from './ng-client.ts';
import { OneAtATime } from './one-at-a-time.ts';

const ASK_EVERY_MS = 1_000;
/** The daemon is asked for each session so often: one that it has forgotten, for it was started anew, has failed. */
const LOOK_EVERY_MS = 3_000;
const SILENT_AFTER_MS = 10_000;
const REMIND_AFTER_MS = 20_000;
const SWEEP_EVERY_MS = 60_000;
/** An answer with so many ids of ours fits into a datagram. What is left is taken back the next time. */
const MOST_LISTED = 500;
/** Calls that nobody ended are deleted so many at once. */
const SWEPT_AT_ONCE = 20;
/** When the server stops, the daemon has so long to be told that calls have ended. */
const CLOSE_WITHIN_MS = 1_000;

export interface AnchorSettings {
  /** Where the daemon is asked (`listen-ng`). */
  readonly ng: NgAddress;
  /** Where it tells of keys that are pressed (`dtmf-log-dest`): an address of ours. */
  readonly digits: { readonly host: string; readonly port: number };
}

export interface AnchorTuning extends NgTuning {
  readonly askEveryMs?: number;
  readonly lookEveryMs?: number;
  readonly silentAfterMs?: number;
  readonly remindAfterMs?: number;
}

export interface AnchorParts {
  readonly settings: AnchorSettings;
  /** Begins the ids of all calls of this server, and of no other that uses the daemon: what begins so is ours to delete. */
  readonly prefix: string;
  readonly tuning?: AnchorTuning;
  /** The daemon answers, or does not any more; told when it changes. */
  readonly onUp?: (isUp: boolean) => void;
}

export class AnchorMedia implements PhoneMedia {
  readonly #parts: AnchorParts;
  readonly #ng: NgClient;
  readonly #announcing = new OneAtATime();
  readonly #sessions = new Map<string, AnchoredSession>();
  /** Calls that are being opened or ended: known to the daemon, perhaps, and not to be swept. */
  readonly #passing = new Set<string>();
  readonly #closing = new AbortController();
  #digits: DigitListener | null = null;
  #watching: Promise<void> = Promise.resolve();
  #isUp = false;
  #lastNumber = 0;
  #sweptAt = Number.NEGATIVE_INFINITY;
  #closed: Promise<void> | null = null;

  /** Resolves when the daemon was asked once, also when it did not answer. @throws Error when a port is taken */
  static async start(parts: AnchorParts): Promise<AnchorMedia> {
    const ng = await NgClient.connect(parts.settings.ng, parts.tuning);
    const media = new AnchorMedia(parts, ng);
    try {
      media.#digits = await DigitListener.open(parts.settings.digits, ({ callId, leg, digit }) =>
        media.#sessions.get(callId)?.pressed(leg, digit),
      );
    } catch (error) {
      ng.close();
      throw error;
    }
    await media.#ask();
    media.#watching = media.#watch();
    return media;
  }

  private constructor(parts: AnchorParts, ng: NgClient) {
    this.#parts = parts;
    this.#ng = ng;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Whether the daemon answers. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Where it is told of keys. */
  get digitPort(): number {
    return this.#digits?.port ?? 0;
  }

  async open(options: SessionOptions): Promise<PhoneSession> {
    if (options.source.a !== 'signalled' || options.source.b !== 'signalled')
      throw new Error('rtpengine: sound is taken from the signalled address alone');
    if (!this.#isUp || this.#closing.signal.aborted) throw new NgError('away', 'offer');
    const callId = `${this.#parts.prefix}${randomBytes(12).toString('hex')}`;
    const { address } = options;
    const call = new DaemonCall({ ng: this.#ng, callId, address, announcing: this.#announcing });
    this.#passing.add(callId);
    try {
      await call.open();
      if (this.#closing.signal.aborted) throw new NgError('away', 'offer');
      return this.#opened(call, options);
    } catch (error) {
      void call.end().catch(() => undefined);
      throw error;
    } finally {
      this.#passing.delete(callId);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #opened(call: DaemonCall, options: SessionOptions): AnchoredSession {
    this.#lastNumber += 1;
    const session: AnchoredSession = new AnchoredSession({
      number: this.#lastNumber,
      call,
      options,
      clock: () => performance.now(),
      silentAfterMs: this.#parts.tuning?.silentAfterMs ?? SILENT_AFTER_MS,
      remindAfterMs: this.#parts.tuning?.remindAfterMs ?? REMIND_AFTER_MS,
      isOurs: (port) => this.#isOurs(port),
      onOver: () => {
        this.#sessions.delete(call.callId);
        this.#passing.add(call.callId);
        void session.ended().finally(() => this.#passing.delete(call.callId));
      },
    });
    this.#sessions.set(call.callId, session);
    return session;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    const ended = [...this.#sessions.values()].map((session) => {
      session.close();
      return session.ended();
    });
    const enough = new AbortController();
    const late = wait(CLOSE_WITHIN_MS, undefined, { signal: enough.signal }).catch(() => undefined);
    await Promise.race([Promise.all(ended), late]);
    enough.abort();
    this.#digits?.close();
    this.#ng.close();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { askEveryMs = ASK_EVERY_MS, lookEveryMs = LOOK_EVERY_MS } = this.#parts.tuning ?? {};
    const { signal } = this.#closing;
    // The answers of all of them at once would be too much for a socket.
    const turns = Math.max(1, Math.round(lookEveryMs / askEveryMs));
    for (let turn = 0; !signal.aborted; turn = (turn + 1) % turns) {
      await wait(askEveryMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await this.#ask();
      if (!this.#isUp) continue;
      // Not waited for: a daemon that does not answer for one call is asked whether it is there all the same.
      for (const session of this.#sessions.values()) if (session.number % turns === turn) void session.look();
    }
  }

  /** Whether it is there. When it is again, it may have calls of before. */
  async #ask(): Promise<void> {
    const wasUp = this.#isUp;
    try {
      await this.#ng.ask('ping');
      this.#isUp = true;
    } catch {
      this.#isUp = false;
    }
    if (this.#closing.signal.aborted) return;
    if (!this.#isUp) for (const session of [...this.#sessions.values()]) session.fail();
    if (this.#isUp && (!wasUp || performance.now() - this.#sweptAt >= SWEEP_EVERY_MS)) await this.#sweep();
    if (this.#isUp !== wasUp) this.#parts.onUp?.(this.#isUp);
  }

  /** Ends what the daemon has of ours and nobody here knows: from before a crash, or whose end was never heard. */
  async #sweep(): Promise<void> {
    this.#sweptAt = performance.now();
    try {
      const listed = (await this.#ng.ask('list', { limit: MOST_LISTED })).get('calls');
      const ids = Array.isArray(listed) ? (listed as readonly unknown[]) : [];
      const left = ids
        .filter((id) => Buffer.isBuffer(id))
        .map((id) => id.toString('utf8'))
        .filter((id) => id.startsWith(this.#parts.prefix) && !this.#isKnown(id));
      for (let from = 0; from < left.length; from += SWEPT_AT_ONCE)
        await Promise.all(
          left
            .slice(from, from + SWEPT_AT_ONCE)
            .map((id) => this.#ng.ask('delete', { 'call-id': id, 'delete delay': 0 })),
        );
    } catch {
      // It is asked again; what it holds meanwhile are silent ports, which it closes by itself in time.
      this.#sweptAt = Number.NEGATIVE_INFINITY;
    }
  }

  #isOurs(port: number): boolean {
    return [...this.#sessions.values()].some(({ ports }) => ports.a === port || ports.b === port);
  }

  #isKnown(callId: string): boolean {
    return this.#sessions.has(callId) || this.#passing.has(callId);
  }
}
