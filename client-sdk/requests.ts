import type { DeviceId, PersonId, RequestInput, RequestName, RequestResult } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type { ReconnectPolicy } from './api.ts';
import { askedOf, atLeastAsAsked, delayOf, retryDelay } from './backoff.ts';
import type { Lifetime } from './lifetime.ts';
import type { NetworkNews } from './network-hints.ts';
import type { Faults } from './simulation/faults.ts';

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** What the rest of the SDK needs of the connection. */
export interface Signalling {
  readonly deviceId: DeviceId;
  /** Whom this client speaks for; null before the first connection, or when the token cannot be read. */
  readonly personId: PersonId | null;
  readonly connected: boolean;
  /** How long to wait before each step of a recovery. */
  readonly reconnect: ReconnectPolicy;
  /** What an app has broken to try it out. */
  readonly faults: Faults;
  /**
   * Sends once and waits for the answer. Rejects with `DISCONNECTED` (also at once, when there is no connection),
   * `TIMEOUT`, `ABORTED` or what the server answered. After `DISCONNECTED` and `TIMEOUT` it may have taken effect.
   */
  request<N extends RequestName>(
    name: N,
    payload: RequestInput<N>,
    options?: RequestOptions,
  ): Promise<RequestResult<N>>;
  /** Resolves at once while connected. Rejects when the client was never connected or is closed. */
  untilConnected(life: Lifetime, signal?: AbortSignal): Promise<void>;
  /** Calls back after every connect and reconnect. */
  onConnected(listener: () => void): () => void;
  /** Calls back with what browser and app say of the network: recoveries that wait go on at once. */
  onNetwork(listener: (news: NetworkNews) => void): () => void;
  /** Something showed that the network works: an attempt to connect is due now. */
  networkIsBack(): void;
  /** Something showed that the network may not work: find out whether the connection still does. */
  probe(): void;
}

export interface PersistOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told about each failure that is going to be retried. */
  readonly onRetry?: (error: AppError) => void;
}

/**
 * Asks until there is an answer that time will not change: waits for the connection, and asks again after a
 * retryable error. Only for requests that may safely arrive twice.
 */
export async function persist<T>(
  { signalling, life }: { signalling: Signalling; life: Lifetime },
  ask: () => Promise<T>,
  { signal, onRetry }: PersistOptions = {},
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    await signalling.untilConnected(life, signal);
    try {
      return await life.within(ask(), signal);
    } catch (thrown) {
      const error = toAppError(thrown);
      if (life.over || !error.retryable) throw error;
      onRetry?.(error);
      const delayMs = atLeastAsAsked(delayOf(retryDelay, attempt), error);
      // Nothing cuts short what the server asked for.
      const wake =
        askedOf(error) > 0 ? {} : { wake: (wakeUp: () => void) => whenItMayWork(signalling, wakeUp) };
      await life.wait(delayMs, { signal, ...wake });
    }
  }
}

/** Calls back when there is a connection again, or the network is said to be back. Returns how to stop. */
export function whenItMayWork(
  signalling: Pick<Signalling, 'onConnected' | 'onNetwork'>,
  listener: () => void,
): () => void {
  const stops = [
    signalling.onConnected(listener),
    signalling.onNetwork((news) => {
      if (news !== 'gone') listener();
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** What was thrown, as the error of the catalogue that tells an app the most. */
export function toAppError(thrown: unknown): AppError {
  return thrown instanceof AppError ? thrown : new AppError('INTERNAL', { cause: thrown });
}
