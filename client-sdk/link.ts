import type {
  DeviceId,
  ErrorBody,
  FactName,
  FactPayload,
  Handshake,
  Reply,
  RequestInput,
  RequestName,
  RequestResult,
} from '@teleconsult/protocol';
import { AppError, isErrorCode } from '@teleconsult/protocol/errors';
import { PROTOCOL_VERSION } from '@teleconsult/protocol/version';
import { io, type Socket } from 'socket.io-client';
import { type Lifetime, throwIfAborted } from './lifetime.ts';
import type { RequestOptions } from './requests.ts';

/**
 * Every fact has a handler, except those about the connection itself: why it ends is kept by the link, and a request
 * without an acknowledgement, which `request.refused` is about, is never sent here.
 */
type HandedOn = Exclude<FactName, 'session.ending' | 'request.refused'>;
export type FactHandlers = { readonly [N in HandedOn]: (payload: FactPayload<N>) => void };

type EndingReason = FactPayload<'session.ending'>['reason'];

export interface LinkOptions {
  readonly url: string;
  readonly token: string;
  readonly deviceId: DeviceId;
  /** How long the server may take to accept, and to answer a request that names no other time. */
  readonly timeoutMs: number;
  readonly facts: FactHandlers;
  /** The link ends with it. */
  readonly life: Lifetime;
}

/**
 * One accepted Socket.IO connection. It never reconnects: the next connection is another link, so nothing that was
 * meant for one (a buffered packet, a late answer) can reach the other.
 */
export class Link {
  readonly #socket: Socket;
  readonly #life: Lifetime;
  readonly #timeoutMs: number;
  #endingReason: EndingReason | null = null;

  constructor(socket: Socket, { life, timeoutMs }: { life: Lifetime; timeoutMs: number }) {
    this.#socket = socket;
    this.#life = life;
    this.#timeoutMs = timeoutMs;
    socket.on('session.ending', ({ reason }: FactPayload<'session.ending'>) => {
      this.#endingReason = reason;
    });
    socket.on('disconnect', (reason) => life.end(new AppError('DISCONNECTED', { detail: reason })));
    life.onEnd(() => socket.disconnect());
    if (!socket.connected) life.end(new AppError('DISCONNECTED'));
  }

  /** Why the server said that it would close the connection; null when it said nothing. */
  get endingReason(): EndingReason | null {
    return this.#endingReason;
  }

  /** Resolves when the connection is gone, whoever closed it. */
  get lost(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#life.onEnd(() => resolve());
    return promise;
  }

  async request<N extends RequestName>(
    name: N,
    payload: RequestInput<N>,
    { signal, timeoutMs = this.#timeoutMs }: RequestOptions = {},
  ): Promise<RequestResult<N>> {
    throwIfAborted(signal);
    if (this.#life.endReason !== null) throw this.#life.endReason;
    const { promise, resolve, reject } = Promise.withResolvers<RequestResult<N>>();
    const timer = setTimeout(() => reject(new AppError('TIMEOUT')), timeoutMs);
    this.#socket.emit(name, payload, (reply: Reply<RequestResult<N>>) => {
      if (reply.ok) resolve(reply.data);
      else reject(AppError.fromBody(reply.error));
    });
    try {
      return await this.#life.within(promise, signal);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#life.end(new AppError('DISCONNECTED'));
  }
}

/** Connects once. Rejects with what the server refused, with `DISCONNECTED`, or with `TIMEOUT`. */
export async function openLink({ url, token, deviceId, timeoutMs, facts, life }: LinkOptions): Promise<Link> {
  const auth: { [K in keyof Handshake]: Handshake[K] } = { protocol: PROTOCOL_VERSION, token, deviceId };
  const socket = io(url, {
    auth,
    transports: ['websocket', 'polling'],
    // Some networks let WebSockets through only partly: polling is tried when the first transport fails.
    tryAllTransports: true,
    forceNew: true,
    autoConnect: false,
    reconnection: false,
    timeout: timeoutMs,
  });
  listen(socket, facts);
  const { promise, resolve, reject } = Promise.withResolvers<Link>();
  const linkLife = life.child();
  const timer = setTimeout(() => reject(new AppError('TIMEOUT')), timeoutMs);
  socket.on('connect', () => resolve(new Link(socket, { life: linkLife, timeoutMs })));
  socket.on('connect_error', (error) => reject(refusalOf(error)));
  socket.connect();
  try {
    return await life.within(promise);
  } catch (error) {
    linkLife.end(new AppError('DISCONNECTED'));
    socket.disconnect();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function listen(socket: Socket, facts: FactHandlers): void {
  const on = <N extends HandedOn>(name: N, handle: FactHandlers[N]) => {
    socket.on<string>(name, (payload: FactPayload<N>) => handle(payload));
  };
  for (const name of Object.keys(facts) as HandedOn[]) on(name, facts[name]);
}

/** Socket.IO puts the server's own words into `data`; without them the server was not reached. */
function refusalOf(error: Error): AppError {
  if ('data' in error && isErrorBody(error.data)) return AppError.fromBody(error.data);
  return new AppError('DISCONNECTED', { cause: error });
}

function isErrorBody(data: unknown): data is ErrorBody {
  return (
    typeof data === 'object' &&
    data !== null &&
    'code' in data &&
    typeof data.code === 'string' &&
    isErrorCode(data.code)
  );
}
