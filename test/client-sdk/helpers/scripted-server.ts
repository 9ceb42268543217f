import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  AppError,
  type ErrorCode,
  type FactName,
  type FactPayload,
  Handshake,
  type RequestName,
  type RequestPayload,
  type RequestResult,
  requests,
} from '@teleconsult/protocol';
import { Server, type Socket } from 'socket.io';

type Answer<N extends RequestName> = RequestResult<N> | 'silence';
type Handler<N extends RequestName> = (
  payload: RequestPayload<N>,
  from: Device,
) => Answer<N> | Promise<Answer<N>>;
type HttpHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** One accepted connection. */
export interface Device {
  readonly socket: Socket;
  readonly handshake: Handshake;
}

export interface Received {
  readonly name: RequestName;
  readonly payload: unknown;
}

/**
 * A server that does what a test tells it to. It holds every request of the SDK against the protocol's schema, so that
 * a test that passes also shows that the real server would have understood.
 */
export class ScriptedServer implements AsyncDisposable {
  readonly #http: HttpServer;
  #io: Server;
  readonly #handlers = new Map<RequestName, Handler<RequestName>>();
  readonly #devices = new Set<Device>();
  readonly #unanswered = new Set<Duplex>();
  #port = 0;
  /** Requests in the order in which they came. */
  readonly received: Received[] = [];
  /** Handshakes in the order in which they came, refused ones too. */
  readonly handshakes: Handshake[] = [];
  /** Answers what a handshake is refused with; null accepts it. */
  admit: (handshake: Handshake) => ErrorCode | null = () => null;
  /** True: as the real server, which lets one connection of a device live, the newest. */
  replacesOlder = false;
  /** What a refused device is asked to wait; undefined: nothing. */
  retryAfterMs: number | undefined;
  /** Serves what is not Socket.IO. */
  serve: HttpHandler = async (_request, response) => {
    response.writeHead(404).end();
  };

  private constructor() {
    this.#http = createServer();
    this.#io = this.#listen();
  }

  static async start(): Promise<ScriptedServer> {
    const server = new ScriptedServer();
    await new Promise<void>((resolve) => server.#http.listen(0, '127.0.0.1', resolve));
    server.#port = (server.#http.address() as AddressInfo).port;
    server.on('session.ping', () => ({ at: 1 }));
    server.on('consultation.list', () => ({ consultations: [], unread: [], queue: [], hasMore: false }));
    server.on('consultation.unwatch', () => ({}));
    server.on('typing.set', () => ({}));
    server.on('thread.mark', ({ consultationId, read }) => ({ consultationId, unread: 0, read: read ?? 0 }));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get devices(): readonly Device[] {
    return [...this.#devices];
  }

  /** Answers a request from now on. A thrown `AppError` is a refusal; `'silence'` answers never. */
  on<N extends RequestName>(name: N, handler: Handler<N>): void {
    this.#handlers.set(name, handler as Handler<RequestName>);
  }

  /** Lets the next request of this name through `handler` only. */
  once<N extends RequestName>(name: N, handler: Handler<N>): void {
    const usual = this.#handlers.get(name);
    this.on(name, (payload, from) => {
      if (usual === undefined) this.#handlers.delete(name);
      else this.#handlers.set(name, usual);
      return handler(payload, from);
    });
  }

  /** Refuses a request from now on. */
  refuse(name: RequestName, code: ErrorCode): void {
    this.on(name, () => {
      throw new AppError(code);
    });
  }

  payloads<N extends RequestName>(name: N): RequestPayload<N>[] {
    return this.received.filter((one) => one.name === name).map((one) => one.payload as RequestPayload<N>);
  }

  /** Lets through only those attempts to open a WebSocket that the test wants; the others are never answered. */
  filterUpgrades(lets: () => boolean): void {
    const listeners = this.#http.listeners('upgrade');
    this.#http.removeAllListeners('upgrade');
    this.#http.on('upgrade', (request, socket: Duplex, head) => {
      if (lets()) for (const listener of listeners) listener.call(this.#http, request, socket, head);
      else this.#unanswered.add(socket);
    });
  }

  tell<N extends FactName>(name: N, payload: FactPayload<N>, to: readonly Device[] = this.devices): void {
    for (const { socket } of to) socket.emit(name, payload);
  }

  /** Closes every connection in the way of Socket.IO: the client knows that the server did it. */
  disconnectAll(): void {
    for (const { socket } of this.#devices) socket.disconnect(true);
  }

  /** Cuts every connection below Socket.IO, as a dying network or process does. */
  cutAll(): void {
    for (const { socket } of this.#devices) socket.conn.close(true);
    this.#http.closeAllConnections();
  }

  /** Takes no connection any more, until `comeBack`. */
  async goAway(): Promise<void> {
    this.cutAll();
    await new Promise<void>((resolve) => this.#http.close(() => resolve()));
  }

  async comeBack(): Promise<void> {
    await new Promise<void>((resolve) => this.#http.listen(this.#port, '127.0.0.1', resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#unanswered) socket.destroy();
    await this.#io.close();
    this.#http.closeAllConnections();
    if (this.#http.listening) await new Promise((resolve) => this.#http.close(resolve));
  }

  #listen(): Server {
    const io = new Server(this.#http, { serveClient: false, cors: { origin: '*' } });
    // Socket.IO answers its own path; what is left comes here.
    const [engine] = this.#http.listeners('request') as HttpHandler[];
    this.#http.removeAllListeners('request');
    this.#http.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const handler = request.url?.startsWith('/socket.io') === true ? engine : this.serve;
      void handler?.call(this.#http, request, response);
    });
    io.use((socket, next) => {
      const handshake = Handshake.parse(socket.handshake.auth);
      this.handshakes.push(handshake);
      const code = this.admit(handshake);
      if (code === null) next();
      else
        next(
          Object.assign(new Error(code), {
            data: new AppError(code, { retryAfterMs: this.retryAfterMs }).toBody('request-1'),
          }),
        );
    });
    io.on('connection', (socket) => this.#accept(socket));
    return io;
  }

  #accept(socket: Socket): void {
    const device: Device = { socket, handshake: Handshake.parse(socket.handshake.auth) };
    if (this.replacesOlder) this.#replace(device.handshake.deviceId);
    this.#devices.add(device);
    socket.on('disconnect', () => this.#devices.delete(device));
    socket.onAny((name: RequestName, raw: unknown, ack: (reply: unknown) => void) => {
      void this.#answer(device, { name, raw, ack });
    });
  }

  #replace(deviceId: Handshake['deviceId']): void {
    for (const { socket, handshake } of this.devices) {
      if (handshake.deviceId !== deviceId) continue;
      socket.emit('session.ending', { reason: 'replaced' });
      socket.disconnect(true);
    }
  }

  async #answer(
    device: Device,
    { name, raw, ack }: { name: RequestName; raw: unknown; ack: (reply: unknown) => void },
  ): Promise<void> {
    const payload = requests[name].payload.parse(raw) as RequestPayload<RequestName>;
    this.received.push({ name, payload });
    const handler = this.#handlers.get(name);
    try {
      if (handler === undefined) throw new AppError('UNKNOWN_EVENT', { detail: name });
      const data = await handler(payload, device);
      if (data === 'silence') return;
      ack({ ok: true, data: requests[name].result.parse(data) });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      ack({ ok: false, error: error.toBody('request-1') });
    }
  }
}
