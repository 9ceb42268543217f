import { Timers } from './clock.ts';
import type { Core } from './core.ts';
import { firstSeq } from './dialog-state.ts';
import { type Credentials, DigestClient } from './digest.ts';
import { exchange } from './exchange.ts';
import { parseCount, splitOutside } from './grammar.ts';
import type { HeaderLine, SipResponse } from './message.ts';
import { token } from './token.ts';
import type { Hop } from './transport.ts';
import { parseNameAddress } from './uri.ts';

export type TrunkState = 'unknown' | 'up' | 'down';

export interface KeepAliveOptions {
  readonly via: Hop;
  /** Whom the OPTIONS names, such as `sip:203.0.113.7`. */
  readonly uri: string;
  readonly from: string;
  readonly auth?: Credentials;
  /** Between two questions; 30 s where nothing is said. */
  readonly intervalMs?: number;
  readonly onState?: (state: 'up' | 'down') => void;
}

export interface KeepAlive {
  readonly state: TrunkState;
  /** May be called twice. */
  close(): void;
}

export interface RegisterOptions {
  readonly via: Hop;
  /** Such as `sip:carrier.example`. */
  readonly registrar: string;
  /** The address of record, such as `sip:clinic@carrier.example`. */
  readonly address: string;
  readonly auth?: Credentials;
  readonly expiresSeconds?: number;
  readonly onState?: (state: 'up' | 'down') => void;
}

export interface Registration {
  readonly state: TrunkState;
  /** Takes the registration back; resolves when the registrar has heard or will not. May be called twice. */
  close(): Promise<void>;
}

const KEEP_ALIVE_MS = 30_000;
const EXPIRES_SECONDS = 600;
/** Seconds until a registration that failed is tried again (RFC 5626 §4.5). */
const RETRY_SECONDS = 30;
const MAX_RETRY_SECONDS = 600;

/** Tells the application only what is new. */
class TrunkWatch {
  state: TrunkState = 'unknown';
  readonly #core: Core;
  readonly #told: ((state: 'up' | 'down') => void) | undefined;

  constructor(core: Core, told: ((state: 'up' | 'down') => void) | undefined) {
    this.#core = core;
    this.#told = told;
  }

  set(state: 'up' | 'down'): void {
    if (this.state === state) return;
    this.state = state;
    this.#core.guarded(() => this.#told?.(state));
  }
}

/** Asks a trunk now and then whether it is there (OPTIONS, RFC 3261 §11). Any answer but 408 and 503 says it is. */
export class SipKeepAlive implements KeepAlive {
  readonly #core: Core;
  readonly #options: KeepAliveOptions;
  readonly #watch: TrunkWatch;
  readonly #timers: Timers<'next'>;
  readonly #digest: DigestClient | null;
  readonly #series = new Series();
  readonly #onClosed: () => void;
  #closed = false;

  constructor(core: Core, options: KeepAliveOptions, onClosed: () => void) {
    this.#core = core;
    this.#options = options;
    this.#onClosed = onClosed;
    this.#watch = new TrunkWatch(core, options.onState);
    this.#timers = new Timers(core.clock);
    this.#digest = options.auth === undefined ? null : new DigestClient(options.auth);
    void this.#ask();
  }

  get state(): TrunkState {
    return this.#watch.state;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timers.clear();
    this.#onClosed();
  }

  async #ask(): Promise<void> {
    const { via, uri, from, intervalMs = KEEP_ALIVE_MS } = this.#options;
    const exchanged = await exchange(
      this.#core.layer,
      (authorization) => ({
        method: 'OPTIONS',
        uri,
        hop: via,
        headers: [
          ...this.#series.next('OPTIONS', from, uri),
          ['Contact', this.#core.contact(via)],
          ['Accept', 'application/sdp'],
          ...authorization('OPTIONS', uri),
        ],
      }),
      this.#digest,
    );
    if (this.#closed) return;
    const there =
      exchanged.type === 'answered' && exchanged.response.status !== 408 && exchanged.response.status !== 503;
    this.#timers.set('next', intervalMs, () => void this.#ask());
    // `overLimit` is about us, and says nothing of them.
    if (there) this.#watch.set('up');
    else if (exchanged.type === 'answered' || exchanged.why !== 'overLimit') this.#watch.set('down');
  }
}

/** A registration at a trunk, renewed before it ends (RFC 3261 §10.2). */
export class SipRegistration implements Registration {
  readonly #core: Core;
  readonly #options: RegisterOptions;
  readonly #watch: TrunkWatch;
  readonly #timers: Timers<'next'>;
  readonly #digest: DigestClient | null;
  readonly #series = new Series();
  readonly #onClosed: () => void;
  #seconds: number;
  #failures = 0;
  #closing: Promise<void> | null = null;
  #running: Promise<void>;

  constructor(core: Core, options: RegisterOptions, onClosed: () => void) {
    this.#core = core;
    this.#options = options;
    this.#onClosed = onClosed;
    this.#watch = new TrunkWatch(core, options.onState);
    this.#timers = new Timers(core.clock);
    this.#digest = options.auth === undefined ? null : new DigestClient(options.auth);
    this.#seconds = options.expiresSeconds ?? EXPIRES_SECONDS;
    this.#running = this.#renew();
  }

  get state(): TrunkState {
    return this.#watch.state;
  }

  close(): Promise<void> {
    this.#closing ??= this.#takeBack();
    return this.#closing;
  }

  async #takeBack(): Promise<void> {
    this.#timers.clear();
    this.#onClosed();
    await this.#running;
    this.#timers.clear();
    if (this.#watch.state === 'up') await this.#register(0);
  }

  async #renew(): Promise<void> {
    const response = await this.#register(this.#seconds);
    if (this.#closing !== null) return;
    const { second } = this.#core.timers;
    const least = response?.status === 423 ? parseCount(response.headers.get('min-expires')) : null;
    if (least !== null && least > this.#seconds && least <= 86_400) {
      this.#seconds = least;
      return this.#renew();
    }
    if (response === null || response.status >= 300) {
      const wait = Math.min(RETRY_SECONDS * 2 ** this.#failures, MAX_RETRY_SECONDS);
      this.#failures += 1;
      this.#timers.set('next', wait * second, () => this.#again());
      this.#watch.set('down');
      return;
    }
    this.#failures = 0;
    const granted = grantedSeconds(response, this.#core.contact(this.#options.via)) ?? this.#seconds;
    this.#timers.set('next', Math.max(granted * 0.8, 1) * second, () => this.#again());
    this.#watch.set('up');
  }

  #again(): void {
    this.#running = this.#renew();
  }

  async #register(seconds: number): Promise<SipResponse | null> {
    const { via, registrar, address } = this.#options;
    const exchanged = await exchange(
      this.#core.layer,
      (authorization) => ({
        method: 'REGISTER',
        uri: registrar,
        hop: via,
        headers: [
          ...this.#series.next('REGISTER', address, address),
          ['Contact', this.#core.contact(via)],
          ['Expires', String(seconds)],
          ...authorization('REGISTER', registrar),
        ],
      }),
      this.#digest,
    );
    return exchanged.type === 'answered' ? exchanged.response : null;
  }
}

/** Requests outside a dialog that follow each other: one Call-ID, rising CSeq. */
class Series {
  readonly #callId = token();
  readonly #tag = token();
  #seq = firstSeq();

  next(method: string, from: string, to: string): HeaderLine[] {
    this.#seq += 1;
    return [
      ['From', `<${from}>;tag=${this.#tag}`],
      ['To', `<${to}>`],
      ['Call-ID', this.#callId],
      ['CSeq', `${this.#seq} ${method}`],
    ];
  }
}

/** For how long our contact is registered: its own parameter counts before the header. */
function grantedSeconds(response: SipResponse, ours: string): number | null {
  const uri = parseNameAddress(ours)?.uri;
  const contacts = response.headers.all('contact').flatMap((value) => splitOutside(value, ',') ?? []);
  for (const value of contacts) {
    const contact = parseNameAddress(value);
    if (contact?.uri.host !== uri?.host || contact?.uri.port !== uri?.port) continue;
    const seconds = parseCount(contact?.parameters.get('expires') ?? null);
    if (seconds !== null) return seconds;
  }
  return parseCount(response.headers.get('expires'));
}
