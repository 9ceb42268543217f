import { randomUUID } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import {
  AppError,
  type ErrorBody,
  Handshake,
  MAX_FRAME_BYTES,
  type PersonId,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@teleconsult/protocol';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { Server } from 'socket.io';
import type { Log } from '../host/ports.ts';
import type { Caller, TokenVerifier } from '../identity/tokens.ts';
import { Admission, type AdmissionOutcome } from './admission.ts';
import { AtTheDoor } from './at-the-door.ts';
import { describe, dispatch, type Handled } from './dispatch.ts';
import type { Handlers } from './handlers/handler.ts';
import { PromptlyClosing } from './promptly-closing.ts';
import { roomOf, type Session } from './session.ts';
import { type GatewayServer, type GatewaySocket, SocketPublisher } from './socket-publisher.ts';
import { whenStalled } from './write-backlog.ts';

/** A device that has not proved who it is by then is let go. */
const CONNECT_TIMEOUT_MS = 10_000;
const PING_INTERVAL_MS = 10_000;
const PING_TIMEOUT_MS = 10_000;
/** Most sockets a person may have open: phone, tablet, computer, and what is left of lost connections. */
const SOCKETS_A_PERSON = 20;
/** Most handlers of one device at work at once. */
const CONCURRENT_REQUESTS = 64;

export interface GatewayOptions {
  readonly http: HttpServer;
  readonly tokens: TokenVerifier;
  readonly log: Log;
  readonly allowedOrigins: readonly string[];
  /** Requests a person may send in a second, over all devices, on average over ten. */
  readonly requestsPerSecond: number;
  /** Devices let in within a second. */
  readonly admissionsPerSecond: number;
  readonly onHandled: (handled: Handled) => void;
  readonly onAdmission: (outcome: AdmissionOutcome) => void;
  /** Whether the person sits in a running call: somebody waits for them, and they are let in first. */
  readonly isEngaged: (personId: PersonId) => boolean;
}

export interface GatewayCallbacks {
  readonly handlers: Handlers;
  readonly onDevice: (session: Session, presence: 'device.lost' | 'device.returned') => void;
}

type ParticipantCaller = Extract<Caller, { scope: 'participant' }>;

/** The Socket.IO server: who may connect, which sockets a device has, and the way of every event to `dispatch`. */
export class Gateway {
  readonly publisher: SocketPublisher;
  readonly #io: GatewayServer;
  readonly #options: GatewayOptions;
  readonly #limiter: RateLimiterMemory;
  readonly #admission: Admission;
  readonly #door: AtTheDoor;
  #closed = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#limiter = new RateLimiterMemory({ points: options.requestsPerSecond * 10, duration: 10 });
    this.#admission = new Admission({
      perSecond: options.admissionsPerSecond,
      onOutcome: options.onAdmission,
    });
    this.#door = new AtTheDoor(this.#admission, options.isEngaged);
    this.#io = new Server(options.http, {
      maxHttpBufferSize: MAX_FRAME_BYTES,
      connectTimeout: CONNECT_TIMEOUT_MS,
      wsEngine: PromptlyClosing,
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: PING_TIMEOUT_MS,
      // Compression costs more than it saves on messages of this size and opens doors to bombs.
      perMessageDeflate: false,
      httpCompression: false,
      serveClient: false,
      cors: { origin: [...options.allowedOrigins] },
      allowRequest: (request, decide) => {
        const { origin } = request.headers;
        const allowed =
          origin === undefined ||
          sameHost(origin, request.headers.host) ||
          options.allowedOrigins.includes(origin);
        decide(null, allowed && !this.#closed);
      },
    });
    this.publisher = new SocketPublisher(this.#io);
  }

  /** Begins to accept devices. */
  start(callbacks: GatewayCallbacks): void {
    this.#io.use((socket, next) => {
      this.#waitAndAdmit(socket).then(
        () => next(),
        (cause: unknown) => {
          const error = cause instanceof AppError ? cause : new AppError('INTERNAL', { cause });
          next(Object.assign(new Error(error.code), { data: error.toBody(randomUUID()) }));
        },
      );
    });
    this.#io.on('connection', (socket) => this.#onConnection(socket, callbacks));
    // Once a connection, however often a device enters and leaves on it.
    this.#io.engine.on('connection', (connection: GatewaySocket['conn']) => {
      whenStalled(connection, (count) => {
        this.#options.log.warn('device.stalled', { count });
        // What waits is thrown away: a device that does not read would never let it go.
        connection.close(true);
      });
    });
  }

  get connections(): number {
    return this.#io.engine.clientsCount;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#admission.close();
    this.#io.emit('session.ending', { reason: 'shutting_down' });
    await this.#io.close();
  }

  async #waitAndAdmit(socket: GatewaySocket): Promise<void> {
    await this.#door.enter(socket.conn, socket.handshake.auth['token']);
    this.#admit(socket);
  }

  #admit(socket: GatewaySocket): void {
    const handshake = Handshake.safeParse(socket.handshake.auth);
    if (!handshake.success) throw new AppError('INVALID', { detail: describe(handshake.error) });
    const { protocol, token, deviceId } = handshake.data;
    if (!SUPPORTED_PROTOCOL_VERSIONS.includes(protocol)) throw new AppError('PROTOCOL_UNSUPPORTED');
    const caller = this.#options.tokens.verify(token);
    // The host application speaks REST; a socket belongs to a person.
    if (caller.scope !== 'participant') throw new AppError('FORBIDDEN');
    const { rooms } = this.#io.of('/').adapter;
    if ((rooms.get(personRoom(caller))?.size ?? 0) >= SOCKETS_A_PERSON) throw new AppError('RATE_LIMITED');
    socket.data.session = this.#sessionOf(socket, caller, deviceId);
    socket.data.expiresAt = caller.expiresAt;
    socket.data.running = 0;
  }

  #sessionOf(socket: GatewaySocket, caller: ParticipantCaller, deviceId: Session['deviceId']): Session {
    return {
      personId: caller.personId,
      deviceId,
      onlyConsultation: caller.onlyConsultation,
      displayName: caller.displayName,
      isDoctor: caller.isDoctor,
      watch: (consultationId) => void socket.join(roomOf.watchers(consultationId)),
      unwatch: (consultationId) => void socket.leave(roomOf.watchers(consultationId)),
    };
  }

  #onConnection(socket: GatewaySocket, { handlers, onDevice }: GatewayCallbacks): void {
    const { session, expiresAt } = socket.data;
    const device = deviceRoom(session);
    // One socket a device: what is left of an earlier connection is no second person.
    this.#io.to(device).emit('session.ending', { reason: 'replaced' });
    this.#io.in(device).disconnectSockets(true);
    void socket.join([device, personRoom(session)]);
    onDevice(session, 'device.returned');

    const expiry = setTimeout(
      () => {
        socket.emit('session.ending', { reason: 'token_expired' });
        socket.disconnect(true);
      },
      Math.min(Math.max(0, expiresAt - Date.now()), 2 ** 31 - 1),
    );
    socket.on('disconnect', () => {
      clearTimeout(expiry);
      if (!this.#closed && !this.#io.of('/').adapter.rooms.has(device)) onDevice(session, 'device.lost');
    });
    socket.onAny((event: unknown, ...args: unknown[]) => {
      socket.data.running += 1;
      void dispatch(
        {
          handlers,
          log: this.#options.log,
          admit: (by) => this.#admitRequest(socket, by),
          onHandled: (handled) => {
            socket.data.running -= 1;
            this.#options.onHandled(handled);
          },
          onRefusedSilently: (_by, name, error: ErrorBody) => {
            socket.emit('request.refused', { event: name, error });
          },
        },
        session,
        { event, args },
      );
    });
  }

  async #admitRequest(socket: GatewaySocket, { personId }: Session): Promise<void> {
    if (socket.data.running > CONCURRENT_REQUESTS) throw new AppError('RATE_LIMITED');
    try {
      await this.#limiter.consume(personId);
    } catch {
      throw new AppError('RATE_LIMITED');
    }
  }
}

/** Where the person's facts go; to a device with a token for one consultation only those of that one. */
const personRoom = ({
  personId,
  onlyConsultation,
}: Pick<Session, 'personId' | 'onlyConsultation'>): string =>
  onlyConsultation === null ? roomOf.person(personId) : roomOf.personWithin(personId, onlyConsultation);

/** One socket a device; a token for one consultation makes a device of its own, so that it cannot pose as the whole. */
const deviceRoom = ({ personId, deviceId, onlyConsultation }: Session): string =>
  onlyConsultation === null
    ? roomOf.device(personId, deviceId)
    : roomOf.deviceWithin(personId, deviceId, onlyConsultation);

function sameHost(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}
