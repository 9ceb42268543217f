import type {
  ClientToServerEvents,
  ConsultationId,
  DeviceId,
  FactName,
  FactPayload,
  PersonId,
  ServerToClientEvents,
} from '@teleconsult/protocol';
import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import type { Publisher } from '../host/ports.ts';
import { roomOf, type Session } from './session.ts';

/** What the gateway remembers of a socket. Set when its token is accepted. */
export interface SocketData {
  session: Session;
  expiresAt: number;
  /** Requests at work now. */
  running: number;
}

export type GatewayServer = Server<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;
export type GatewaySocket = Socket<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;

/** Carries facts over Socket.IO rooms. */
export class SocketPublisher implements Publisher {
  readonly #io: GatewayServer;

  constructor(io: GatewayServer) {
    this.#io = io;
  }

  toWatchers<N extends FactName>(consultationId: ConsultationId, name: N, payload: FactPayload<N>): void {
    this.#emit(roomOf.watchers(consultationId), name, payload);
  }

  toPerson<N extends FactName>(personId: PersonId, name: N, payload: FactPayload<N>): void {
    this.#emit(roomOf.person(personId), name, payload);
    const { consultationId } = payload as { consultationId?: ConsultationId };
    if (consultationId !== undefined)
      this.#emit(roomOf.personWithin(personId, consultationId), name, payload);
  }

  toDevice<N extends FactName>(
    personId: PersonId,
    deviceId: DeviceId,
    name: N,
    payload: FactPayload<N>,
  ): void {
    this.#emit(roomOf.device(personId, deviceId), name, payload);
    const { consultationId } = payload as { consultationId?: ConsultationId };
    if (consultationId !== undefined)
      this.#emit(roomOf.deviceWithin(personId, deviceId, consultationId), name, payload);
  }

  isConnected(personId: PersonId, deviceId: DeviceId, consultationId: ConsultationId): boolean {
    const { rooms } = this.#io.of('/').adapter;
    return (
      rooms.has(roomOf.device(personId, deviceId)) ||
      rooms.has(roomOf.deviceWithin(personId, deviceId, consultationId))
    );
  }

  isWatched(consultationId: ConsultationId): boolean {
    return this.#io.of('/').adapter.rooms.has(roomOf.watchers(consultationId));
  }

  isOnline(personId: PersonId, consultationId: ConsultationId): boolean {
    const { rooms } = this.#io.of('/').adapter;
    return rooms.has(roomOf.person(personId)) || rooms.has(roomOf.personWithin(personId, consultationId));
  }

  toOtherWatchers<N extends FactName>(
    consultationId: ConsultationId,
    except: PersonId,
    name: N,
    payload: FactPayload<N>,
  ): void {
    const args = [payload] as Parameters<ServerToClientEvents[N]>;
    this.#io
      .to(roomOf.watchers(consultationId))
      .except([roomOf.person(except), roomOf.personWithin(except, consultationId)])
      .emit(name, ...args);
  }

  stopWatching(personId: PersonId, consultationId: ConsultationId): void {
    this.#io
      .in([roomOf.person(personId), roomOf.personWithin(personId, consultationId)])
      .socketsLeave(roomOf.watchers(consultationId));
  }

  #emit<N extends FactName>(room: string, name: N, payload: FactPayload<N>): void {
    // Socket.IO would encode the fact all the same, and most rooms that could be there are not.
    if (!this.#io.of('/').adapter.rooms.has(room)) return;
    // The event map pairs each name with its payload; through a type variable TypeScript sees only the union.
    const args = [payload] as Parameters<ServerToClientEvents[N]>;
    this.#io.to(room).emit(name, ...args);
  }
}
