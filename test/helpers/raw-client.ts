import { randomBytes } from 'node:crypto';
import {
  type ErrorBody,
  type FactName,
  type FactPayload,
  PROTOCOL_VERSION,
  type Reply,
  type RequestInput,
  type RequestName,
  type RequestResult,
} from '@teleconsult/protocol';
import { io, type Socket } from 'socket.io-client';
import { eventually } from './eventually.ts';

const ACK_MS = 10_000;

/** A bare connection that speaks the protocol, for what the SDK would never send. */
export class RawClient implements AsyncDisposable {
  readonly socket: Socket;
  readonly facts: { name: FactName; payload: unknown }[] = [];
  readonly deviceId: string;

  private constructor(socket: Socket, deviceId: string) {
    this.socket = socket;
    this.deviceId = deviceId;
    socket.onAny((name: FactName, payload: unknown) => this.facts.push({ name, payload }));
  }

  static async connect(
    origin: string,
    token: string,
    auth: Record<string, unknown> & { deviceId?: string } = {},
  ): Promise<RawClient> {
    const deviceId = auth.deviceId ?? `device-${randomBytes(8).toString('hex')}`;
    const socket = io(origin, {
      auth: { protocol: PROTOCOL_VERSION, token, deviceId, ...auth },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
    });
    // Listens before it is connected: what the server tells at once comes in the same moment.
    const client = new RawClient(socket, deviceId);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', (error: Error & { data?: ErrorBody }) => {
        socket.close();
        reject(Object.assign(new Error(error.data?.code ?? error.message), { body: error.data }));
      });
    });
    return client;
  }

  /** Sends whatever it is told and answers the envelope. */
  async emit(event: string, ...args: unknown[]): Promise<Reply<unknown>> {
    return (await this.socket.timeout(ACK_MS).emitWithAck(event, ...args)) as Reply<unknown>;
  }

  /** A well-formed request; throws an Error named by the code when it is refused. */
  async request<N extends RequestName>(name: N, payload: RequestInput<N>): Promise<RequestResult<N>> {
    const reply = (await this.emit(name, payload)) as Reply<RequestResult<N>>;
    if (reply.ok) return reply.data;
    throw Object.assign(new Error(reply.error.code), { body: reply.error });
  }

  of<N extends FactName>(name: N): FactPayload<N>[] {
    return this.facts.flatMap((fact) => (fact.name === name ? [fact.payload as FactPayload<N>] : []));
  }

  fact<N extends FactName>(
    name: N,
    fits: (payload: FactPayload<N>) => boolean = () => true,
  ): Promise<FactPayload<N>> {
    return eventually(`a fact ${name}`, () => this.of(name).find(fits), {
      lastSeen: () => this.facts.map(({ name: seen }) => seen),
    }) as Promise<FactPayload<N>>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.disconnect();
  }
}
