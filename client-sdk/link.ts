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
import { Manager, type Socket } from 'socket.io-client';
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

/** When further attempts begin beside the first. Few: a server that is slow because it is full is not to get more. */
const FURTHER_ATTEMPTS_MS = [2_000, 5_000] as const;

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

  /** Ends it below Socket.IO: the server is not told, and finds out by itself. */
  break(): void {
    this.#socket.io.engine.close();
  }
}

/** Connects once. Rejects with what the server refused, with `DISCONNECTED`, or with `TIMEOUT`. */
export async function openLink({ url, token, deviceId, timeoutMs, facts, life }: LinkOptions): Promise<Link> {
  const limit = life.child();
  const timer = setTimeout(() => limit.end(new AppError('TIMEOUT')), timeoutMs);
  const linkLife = life.child();
  let manager: Manager | null = null;
  try {
    manager = await openFirst(url, limit);
    const auth: { [K in keyof Handshake]: Handshake[K] } = { protocol: PROTOCOL_VERSION, token, deviceId };
    const socket = manager.socket('/', { auth });
    listen(socket, facts);
    const { promise, resolve, reject } = Promise.withResolvers<Link>();
    socket.on('connect', () => resolve(new Link(socket, { life: linkLife, timeoutMs })));
    socket.on('connect_error', (error) => reject(refusalOf(error)));
    // A server that dies before it has answered leaves no more than this.
    socket.on('disconnect', (reason) => reject(new AppError('DISCONNECTED', { detail: reason })));
    socket.connect();
    return await limit.within(promise);
  } catch (error) {
    linkLife.end(new AppError('DISCONNECTED'));
    manager?.engine.close();
    throw error;
  } finally {
    clearTimeout(timer);
    limit.end(new AppError('DISCONNECTED'));
  }
}

/**
 * Opens a connection, without saying yet for whom. What was sent into a network that was gone is lost, and TCP tries
 * again after one, three and seven seconds (RFC 6298 §2.1): after a while a fresh attempt runs beside the first, and the
 * one that is through first is taken. The server learns of a device only over that one.
 */
async function openFirst(url: string, life: Lifetime): Promise<Manager> {
  const begun: Manager[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Manager>();
  let pending = 0;
  const begin = (): void => {
    const manager = new Manager(url, {
      transports: ['websocket', 'polling'],
      // Some networks let WebSockets through only partly: polling is tried when the first transport fails.
      tryAllTransports: true,
      autoConnect: false,
      reconnection: false,
    });
    // How long it may take is counted here, over all attempts.
    manager.timeout(false);
    begun.push(manager);
    pending += 1;
    manager.open((error) => {
      pending -= 1;
      if (error === undefined) resolve(manager);
      else if (pending === 0) reject(refusalOf(error));
    });
  };
  begin();
  const timers = FURTHER_ATTEMPTS_MS.map((afterMs) => setTimeout(begin, afterMs));
  let taken: Manager | null = null;
  try {
    taken = await life.within(promise);
    return taken;
  } finally {
    for (const timer of timers) clearTimeout(timer);
    for (const manager of begun) if (manager !== taken) manager.engine.close();
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
