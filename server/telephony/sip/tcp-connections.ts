import { connect, createServer, type Server, type Socket } from 'node:net';
import { StreamFraming } from './framing.ts';
import type { SourceGuard } from './sources.ts';
import type { SipStatistics } from './statistics.ts';
import type { Hop } from './transport.ts';

export interface ConnectionLimits {
  readonly all: number;
  readonly perSource: number;
  /** A connection nothing comes or goes by is closed. */
  readonly idleMs: number;
  /** So long the rest of a begun message, or the answer to a connect, may take. */
  readonly partialMs: number;
  /** What a peer that does not read may let pile up. */
  readonly backlogBytes: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  all: 256,
  perSource: 32,
  idleMs: 600_000,
  partialMs: 10_000,
  backlogBytes: 262_144,
};

interface Connection {
  readonly id: number;
  readonly address: string;
  readonly port: number;
  readonly socket: Socket;
  readonly framing: StreamFraming;
  /** Of messages that are not on the wire yet. */
  readonly unsent: Set<() => void>;
  partial: NodeJS.Timeout | null;
}

interface ConnectionsOptions {
  readonly guard: SourceGuard;
  readonly statistics: SipStatistics;
  readonly maxMessageBytes: number;
  readonly limits: Partial<ConnectionLimits>;
  readonly onMessage: (bytes: Buffer, from: Hop) => void;
}

/** Last words over TCP have so long to be read; whoever does not read them does not hold the server up. */
const CLOSE_WITHIN_MS = 1_000;
const PONG = Buffer.from('\r\n', 'latin1');

/** The TCP half of the transport: connections are used again while they are open, and made anew when they are not. */
export class TcpConnections {
  readonly #options: ConnectionsOptions;
  readonly #limits: ConnectionLimits;
  readonly #connections = new Map<number, Connection>();
  #server: Server | null = null;
  #address = '';
  #lastId = 0;
  #closed = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#limits = { ...CONNECTION_LIMITS, ...options.limits };
  }

  get size(): number {
    return this.#connections.size;
  }

  async listen(address: string, port: number): Promise<void> {
    const server = createServer((socket) => this.#accepted(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, address, () => {
        server.off('error', reject);
        resolve();
      });
    });
    // Accepting can fail for want of descriptors; the next one may work.
    server.on('error', () => undefined);
    this.#address = address;
    this.#server = server;
  }

  send(to: Hop, bytes: Buffer, onFailed?: () => void): void {
    const connection = this.#find(to) ?? this.#connect(to);
    if (connection === null) {
      if (onFailed !== undefined) queueMicrotask(onFailed);
      return;
    }
    if (onFailed !== undefined) connection.unsent.add(onFailed);
    connection.socket.write(bytes, (error) => {
      if (onFailed === undefined || !connection.unsent.delete(onFailed)) return;
      if (error != null) onFailed();
    });
    if (connection.socket.writableLength > this.#limits.backlogBytes) this.#cut(connection);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const server = this.#server;
    const stopped = server === null ? null : new Promise<void>((resolve) => server.close(() => resolve()));
    for (const connection of this.#connections.values()) connection.socket.destroySoon();
    const late = setTimeout(() => {
      for (const connection of this.#connections.values()) connection.socket.destroy();
    }, CLOSE_WITHIN_MS);
    await stopped;
    clearTimeout(late);
  }

  #find(to: Hop): Connection | null {
    const same = to.connection === undefined ? undefined : this.#connections.get(to.connection);
    if (same !== undefined && same.address === to.address) return same;
    for (const connection of this.#connections.values())
      if (connection.port === to.port && connection.address === to.address) return connection;
    return null;
  }

  #accepted(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress);
    if (!this.#options.guard.admits(address)) {
      this.#options.statistics.unknownSources += 1;
      socket.resetAndDestroy();
      return;
    }
    if (this.#add(socket, address, socket.remotePort ?? 0) === null) socket.resetAndDestroy();
  }

  #connect(to: Hop): Connection | null {
    if (this.#closed) return null;
    const socket = connect({ host: to.address, port: to.port, localAddress: this.#address });
    const connection = this.#add(socket, to.address, to.port);
    if (connection === null) {
      socket.destroy();
      return null;
    }
    this.#expect(connection);
    socket.once('connect', () => this.#settled(connection));
    return connection;
  }

  #add(socket: Socket, address: string, port: number): Connection | null {
    socket.on('error', () => undefined);
    const ofSource = [...this.#connections.values()].filter((other) => other.address === address).length;
    if (this.#closed || this.#connections.size >= this.#limits.all || ofSource >= this.#limits.perSource) {
      this.#options.statistics.connectionsCut += 1;
      return null;
    }
    this.#lastId += 1;
    const framing = new StreamFraming(this.#options.maxMessageBytes);
    const connection: Connection = {
      id: this.#lastId,
      address,
      port,
      socket,
      framing,
      unsent: new Set(),
      partial: null,
    };
    this.#connections.set(connection.id, connection);
    socket.setNoDelay(true);
    socket.setTimeout(this.#limits.idleMs, () => socket.destroy());
    socket.on('data', (bytes: Buffer) => this.#data(connection, bytes));
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      this.#settled(connection);
      this.#connections.delete(connection.id);
      const failed = [...connection.unsent];
      connection.unsent.clear();
      for (const onFailed of failed) onFailed();
    });
    return connection;
  }

  #data(connection: Connection, bytes: Buffer): void {
    const { messages, pings, broken } = connection.framing.push(bytes);
    const { id, address, port } = connection;
    if (pings > 0) connection.socket.write(PONG);
    for (const message of messages)
      this.#options.onMessage(message, { protocol: 'tcp', address, port, connection: id });
    if (broken) {
      this.#cut(connection);
      return;
    }
    // Counted from the first byte of a message, so that a byte now and then does not hold it open.
    if (!connection.framing.partial || messages.length > 0) this.#settled(connection);
    if (connection.framing.partial && connection.partial === null) this.#expect(connection);
  }

  #expect(connection: Connection): void {
    connection.partial = setTimeout(() => this.#cut(connection), this.#limits.partialMs);
  }

  #settled(connection: Connection): void {
    if (connection.partial !== null) clearTimeout(connection.partial);
    connection.partial = null;
  }

  #cut(connection: Connection): void {
    this.#options.statistics.connectionsCut += 1;
    connection.socket.destroy();
  }
}

/** A socket that takes both families says IPv4 addresses in IPv6. */
const plainAddress = (address: string | undefined): string => (address ?? '').replace(/^::ffff:/i, '');
