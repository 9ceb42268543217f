import type { DeviceId, PersonId, RequestInput, RequestName, RequestResult } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type { ConnectionState } from './api.ts';
import { type Backoff, delayOf } from './backoff.ts';
import { Emitter } from './events.ts';
import { Lifetime } from './lifetime.ts';
import { type FactHandlers, type Link, openLink } from './link.ts';
import { watchNetwork } from './network-hints.ts';
import { type RequestOptions, type Signalling, toAppError } from './requests.ts';
import type { TokenSource } from './token-source.ts';

export interface ConnectionOptions {
  readonly url: string;
  readonly deviceId: DeviceId;
  readonly tokens: TokenSource;
  readonly requestTimeoutMs: number;
  readonly policy: Backoff;
  readonly facts: FactHandlers;
}

export interface ConnectionEvents {
  state: { readonly state: ConnectionState; readonly error: AppError | null };
  connected: undefined;
  hint: undefined;
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
/** How long a connection may take to prove that it is alive, before it is given up and made anew. */
const PROBE_TIMEOUT_MS = 4_000;

/** Keeps one connection to the server, for as long as the client is open. */
export class Connection implements Signalling {
  readonly deviceId: DeviceId;
  readonly events = new Emitter<ConnectionEvents>();
  readonly #options: ConnectionOptions;
  readonly #life = new Lifetime();
  #state: State = { kind: 'idle' };
  #opened = Promise.withResolvers<void>();
  /** The link whose liveness is being checked. */
  #probed: Link | null = null;

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

  /** Starts connecting, if that has not been done, and resolves when connected. */
  async open(life: Lifetime, signal?: AbortSignal): Promise<void> {
    if (this.#state.kind === 'idle') {
      this.#life.onEnd(watchNetwork(() => this.networkIsBack()));
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

  async request<N extends RequestName>(
    name: N,
    payload: RequestInput<N>,
    options: RequestOptions = {},
  ): Promise<RequestResult<N>> {
    if (this.#state.kind !== 'connected') throw new AppError('DISCONNECTED');
    try {
      return await this.#state.link.request(name, payload, options);
    } catch (error) {
      if (error instanceof AppError && error.code === 'TIMEOUT') this.probe();
      throw error;
    }
  }

  networkIsBack(): void {
    if (this.#state.kind === 'connected') this.probe();
    else this.events.emit('hint', undefined);
  }

  probe(): void {
    if (this.#state.kind !== 'connected') return;
    const { link } = this.#state;
    if (this.#probed === link) return;
    this.#probed = link;
    void this.#check(link).finally(() => {
      if (this.#probed === link) this.#probed = null;
    });
  }

  close(error: AppError | null = null): void {
    if (this.#state.kind === 'closed') return;
    const reason = error ?? new AppError('DISCONNECTED', { detail: 'the client was closed' });
    this.#life.end(reason);
    this.#opened.reject(reason);
    this.#change({ kind: 'closed', error }, error);
  }

  /** One round of this loop is: wait, connect, stay connected. */
  async #run(): Promise<void> {
    this.#change({ kind: 'connecting' }, null);
    let attempt = 0;
    while (!this.#life.over) {
      const { outcome, lastedMs } = await this.#connectAndStay();
      if (this.#life.over) return;
      if (outcome.kind === 'final') {
        this.close(outcome.error);
        return;
      }
      attempt = lastedMs >= STABLE_AFTER_MS || outcome.atOnce ? 1 : attempt + 1;
      this.#change({ kind: 'connecting' }, outcome.error);
      if (outcome.atOnce) continue;
      const hinted = await this.#backOff(attempt);
      if (hinted) attempt = 0;
    }
  }

  async #connectAndStay(): Promise<{ outcome: Outcome; lastedMs: number }> {
    const attempt = this.#life.child();
    const startedAt = performance.now();
    let hinted = false;
    const stopHearing = this.events.on('hint', () => {
      if (performance.now() - startedAt < STALE_ATTEMPT_MS) return;
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
    try {
      return await this.#openLinkOnce(life);
    } catch (error) {
      const expired = error instanceof AppError && error.code === 'TOKEN_EXPIRED';
      if (!expired || !this.#options.tokens.canRenew) throw error;
      return this.#openLinkOnce(life);
    }
  }

  async #openLinkOnce(life: Lifetime): Promise<Link> {
    const { url, deviceId, tokens, requestTimeoutMs: timeoutMs, facts } = this.#options;
    const token = await life.withinTime(tokens.renew(), timeoutMs);
    return openLink({ url, token, deviceId, timeoutMs, facts, life });
  }

  /** A refusal in the server's own words is final, unless another token or another time may help. */
  #judge(error: AppError): Outcome {
    const expired = error.code === 'TOKEN_EXPIRED' && this.#options.tokens.canRenew;
    return error.retryable || expired ? again(error, false) : { kind: 'final', error };
  }

  /** Waits before the next attempt. True when a hint cut it short. */
  async #backOff(attempt: number): Promise<boolean> {
    let hinted = false;
    const wake = (wakeUp: () => void) =>
      this.events.on('hint', () => {
        hinted = true;
        wakeUp();
      });
    // The wait is rejected only by the end of the connection, which the loop looks for itself.
    await this.#life.wait(delayOf(this.#options.policy, attempt), { wake }).catch(() => {});
    return hinted;
  }

  /** Any answer shows that the connection lives, a refusal as well. */
  async #check(link: Link): Promise<void> {
    try {
      await link.request('session.ping', {}, { timeoutMs: PROBE_TIMEOUT_MS });
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
