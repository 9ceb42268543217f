import type { DeviceId, PersonId, RequestInput, RequestName, RequestResult } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type { ConnectionState, ReconnectPolicy } from './api.ts';
import { askedOf, atLeastAsAsked } from './backoff.ts';
import { Emitter } from './events.ts';
import { Lifetime } from './lifetime.ts';
import { type FactHandlers, type Link, openLink } from './link.ts';
import { type NetworkNews, saysOffline, watchNetwork } from './network-hints.ts';
import { type RequestOptions, type Signalling, toAppError } from './requests.ts';
import { Faults } from './simulation/faults.ts';
import type { TokenSource } from './token-source.ts';

export interface ConnectionOptions {
  readonly url: string;
  readonly deviceId: DeviceId;
  readonly tokens: TokenSource;
  readonly requestTimeoutMs: number;
  readonly policy: ReconnectPolicy;
  readonly facts: FactHandlers;
}

export interface ConnectionEvents {
  state: { readonly state: ConnectionState; readonly error: AppError | null };
  connected: undefined;
  network: NetworkNews;
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected'; readonly link: Link }
  | { readonly kind: 'closed'; readonly error: AppError | null };

/** How an attempt or a connection came to its end, and so whether there is another attempt. */
type Outcome =
  | { readonly kind: 'again'; readonly error: AppError; readonly atOnce: boolean }
  | { readonly kind: 'final'; readonly error: AppError };

/** A connection that lasted this long was a good one: the next loss starts with the shortest delay again. */
const STABLE_AFTER_MS = 5_000;
/** An attempt older than this when the network comes back may wait for a lost packet: a new one is faster. */
const STALE_ATTEMPT_MS = 1_000;
/**
 * How long a connection may take to prove that it is alive, before it is given up and made anew. A silence grows: TCP
 * waits twice as long before each further attempt to send (RFC 6298 §5.5), so that a new connection is soon faster.
 */
const PROBE_TIMEOUT_MS = 3_000;
/** The same when the network is another one: the former address is gone, and what was sent from it is lost. */
const CHANGED_PROBE_TIMEOUT_MS = 1_000;
/** How far apart attempts are while the browser says that there is no network. It may be wrong, so they go on. */
const OFFLINE_PACE_MS = 5_000;
/** An app that has not answered with a fresh token by then may be asking over a network that is gone. */
const FRESH_TOKEN_MS = 1_500;

/** Keeps one connection to the server, for as long as the client is open. */
export class Connection implements Signalling {
  readonly deviceId: DeviceId;
  readonly events = new Emitter<ConnectionEvents>();
  readonly faults = new Faults();
  readonly #options: ConnectionOptions;
  readonly #life = new Lifetime();
  #state: State = { kind: 'idle' };
  #opened = Promise.withResolvers<void>();
  /** The link whose liveness is being checked, and when it is given up. */
  #probed: { readonly link: Link; readonly until: number } | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.deviceId = options.deviceId;
    // Nobody may be waiting when it is rejected.
    this.#opened.promise.catch(() => {});
  }

  get state(): ConnectionState {
    return this.#state.kind;
  }

  get connected(): boolean {
    return this.#state.kind === 'connected';
  }

  get personId(): PersonId | null {
    return this.#options.tokens.personId;
  }

  get reconnect(): ReconnectPolicy {
    return this.#options.policy;
  }

  /** Starts connecting, if that has not been done, and resolves when connected. */
  async open(life: Lifetime, signal?: AbortSignal): Promise<void> {
    if (this.#state.kind === 'idle') {
      this.#life.onEnd(watchNetwork((news) => this.#hear(news)));
      void this.#run();
    }
    await this.untilConnected(life, signal);
  }

  async untilConnected(life: Lifetime, signal?: AbortSignal): Promise<void> {
    if (life.endReason !== null) throw life.endReason;
    if (this.#state.kind === 'connected') return;
    if (this.#state.kind === 'idle')
      throw new AppError('DISCONNECTED', { detail: 'connect() was not called' });
    if (this.#state.kind === 'closed') throw this.#state.error ?? new AppError('DISCONNECTED');
    await life.within(this.#opened.promise, signal);
  }

  onConnected(listener: () => void): () => void {
    return this.events.on('connected', listener);
  }

  onNetwork(listener: (news: NetworkNews) => void): () => void {
    return this.events.on('network', listener);
  }

  async request<N extends RequestName>(
    name: N,
    payload: RequestInput<N>,
    options: RequestOptions = {},
  ): Promise<RequestResult<N>> {
    if (this.#state.kind !== 'connected') throw new AppError('DISCONNECTED');
    try {
      this.faults.requireKnown(name);
      return await this.#state.link.request(name, payload, options);
    } catch (error) {
      if (error instanceof AppError && error.code === 'TIMEOUT') this.probe();
      throw error;
    }
  }

  networkIsBack(): void {
    this.#hear('back');
  }

  probe(): void {
    this.#probe(PROBE_TIMEOUT_MS);
  }

  /** Breaks the connection without a word, as a network does. False when there is none. */
  breakLink(): boolean {
    if (this.#state.kind !== 'connected') return false;
    this.#state.link.break();
    return true;
  }

  close(error: AppError | null = null): void {
    if (this.#state.kind === 'closed') return;
    const reason = error ?? new AppError('DISCONNECTED', { detail: 'the client was closed' });
    this.#life.end(reason);
    this.#opened.reject(reason);
    this.#change({ kind: 'closed', error }, error);
  }

  /** One round of this loop is: connect, stay connected, wait. */
  async #run(): Promise<void> {
    this.#change({ kind: 'connecting' }, null);
    let attempt = 0;
    let lostAt = performance.now();
    while (!this.#life.over) {
      const { outcome, lastedMs } = await this.#connectAndStay();
      if (this.#life.over) return;
      if (outcome.kind === 'final') {
        this.close(outcome.error);
        return;
      }
      if (lastedMs > 0) lostAt = performance.now();
      attempt = lastedMs >= STABLE_AFTER_MS || outcome.atOnce ? 1 : attempt + 1;
      this.#change({ kind: 'connecting' }, outcome.error);
      if (outcome.atOnce) continue;
      const elapsedMs = performance.now() - lostAt;
      const delayMs = this.#options.policy.connectionDelayMs({ attempt, elapsedMs, error: outcome.error });
      if (delayMs === null) {
        this.close(outcome.error);
        return;
      }
      const hinted = await this.#backOff(delayMs, attempt, outcome.error);
      if (hinted) attempt = 0;
    }
  }

  async #connectAndStay(): Promise<{ outcome: Outcome; lastedMs: number }> {
    const attempt = this.#life.child();
    const startedAt = performance.now();
    let hinted = false;
    const stopHearing = this.events.on('network', (news) => {
      if (news === 'gone' || performance.now() - startedAt < STALE_ATTEMPT_MS) return;
      hinted = true;
      attempt.end(new AppError('DISCONNECTED'));
    });
    try {
      const link = await this.#openLink(attempt);
      stopHearing();
      return await this.#stay(link);
    } catch (error) {
      return { outcome: hinted ? again(error, true) : this.#judge(toAppError(error)), lastedMs: 0 };
    } finally {
      stopHearing();
      attempt.end(new AppError('DISCONNECTED'));
    }
  }

  async #stay(link: Link): Promise<{ outcome: Outcome; lastedMs: number }> {
    const connectedAt = performance.now();
    this.#change({ kind: 'connected', link }, null);
    await link.lost;
    const lastedMs = performance.now() - connectedAt;
    if (link.endingReason !== 'replaced')
      return { outcome: again(new AppError('DISCONNECTED'), false), lastedMs };
    const replaced = new AppError('DISCONNECTED', { detail: 'this device connected elsewhere' });
    return { outcome: { kind: 'final', error: replaced }, lastedMs };
  }

  async #openLink(life: Lifetime): Promise<Link> {
    const { tokens, requestTimeoutMs } = this.#options;
    try {
      return await this.#openLinkWith(await this.#token(life), life);
    } catch (error) {
      const expired = error instanceof AppError && error.code === 'TOKEN_EXPIRED';
      if (!expired || !tokens.canRenew) throw error;
      return this.#openLinkWith(await life.withinTime(tokens.renew(), requestTimeoutMs), life);
    }
  }

  async #openLinkWith(token: string, life: Lifetime): Promise<Link> {
    this.faults.requireReachable();
    const { url, deviceId, requestTimeoutMs: timeoutMs, facts } = this.#options;
    return openLink({ url, token, deviceId, timeoutMs, facts, life });
  }

  /** A fresh one. The latest does when the app takes long or fails: the server says whether it is still good. */
  async #token(life: Lifetime): Promise<string> {
    const { tokens, requestTimeoutMs } = this.#options;
    const { latest } = tokens;
    const fresh = tokens.renew();
    if (latest === null) return life.withinTime(fresh, requestTimeoutMs);
    try {
      return await life.withinTime(fresh, Math.min(FRESH_TOKEN_MS, requestTimeoutMs));
    } catch (error) {
      // The token of another person.
      if (life.over || toAppError(error).code === 'FORBIDDEN') throw error;
      return latest;
    }
  }

  /** A refusal in the server's own words is final, unless another token or another time may help. */
  #judge(error: AppError): Outcome {
    const expired = error.code === 'TOKEN_EXPIRED' && this.#options.tokens.canRenew;
    return error.retryable || expired ? again(error, false) : { kind: 'final', error };
  }

  /** Waits before the next attempt. True when a hint cut it short. */
  async #backOff(delayMs: number, attempt: number, error: AppError): Promise<boolean> {
    let hinted = false;
    const isAsked = askedOf(error) > 0;
    const wake = (wakeUp: () => void) =>
      this.events.on('network', (news) => {
        // The server knows what it can bear: nothing cuts short what it asked for.
        if (news === 'gone' || isAsked) return;
        hinted = true;
        wakeUp();
      });
    // The first attempt is worth it even then.
    const paceMs = attempt > 1 && saysOffline() ? OFFLINE_PACE_MS : 0;
    const waitMs = atLeastAsAsked(Math.max(delayMs, paceMs), error);
    // The wait is rejected only by the end of the connection, which the loop looks for itself.
    await this.#life.wait(waitMs, { wake }).catch(() => {});
    return hinted;
  }

  #hear(news: NetworkNews): void {
    if (this.#state.kind === 'closed') return;
    if (this.#state.kind === 'connected')
      this.#probe(news === 'changed' ? CHANGED_PROBE_TIMEOUT_MS : PROBE_TIMEOUT_MS);
    this.events.emit('network', news);
  }

  #probe(timeoutMs: number): void {
    if (this.#state.kind !== 'connected') return;
    const { link } = this.#state;
    const until = performance.now() + timeoutMs;
    if (this.#probed?.link === link && this.#probed.until <= until) return;
    const probed = { link, until };
    this.#probed = probed;
    void this.#check(link, timeoutMs).finally(() => {
      if (this.#probed === probed) this.#probed = null;
    });
  }

  /** Any answer shows that the connection lives, a refusal as well. */
  async #check(link: Link, timeoutMs: number): Promise<void> {
    try {
      await link.request('session.ping', {}, { timeoutMs });
    } catch (error) {
      if (error instanceof AppError && error.code === 'TIMEOUT') link.close();
    }
  }

  #change(state: State, error: AppError | null): void {
    const before = this.#state;
    this.#state = state;
    if (before.kind === 'connected') {
      this.#opened = Promise.withResolvers<void>();
      this.#opened.promise.catch(() => {});
    }
    if (state.kind === 'connected') this.#opened.resolve();
    this.events.emit('state', { state: state.kind, error });
    if (state.kind === 'connected') this.events.emit('connected', undefined);
  }
}

function again(error: unknown, atOnce: boolean): Outcome {
  return { kind: 'again', error: toAppError(error), atOnce };
}
