import type { Datagrams } from './datagrams.ts';
import { openDatagrams } from './datagrams.ts';
import type { SipMessage } from './message.ts';
import { PARSE_LIMITS, type ParseLimits, parseMessage } from './parse.ts';
import type { SourceGuard } from './sources.ts';
import type { SipStatistics } from './statistics.ts';
import { type ConnectionLimits, TcpConnections } from './tcp-connections.ts';

/** Where a message goes, or came from: always an address, never a name to be looked up. */
export interface Hop {
  readonly protocol: 'udp' | 'tcp';
  readonly address: string;
  readonly port: number;
  /** The TCP connection it came by; used again while it is open. */
  readonly connection?: number;
}

export interface TransportOptions {
  readonly address: string;
  /** 0: any that is free for both UDP and TCP. */
  readonly port: number;
  readonly guard: SourceGuard;
  readonly statistics: SipStatistics;
  readonly parsing?: Partial<ParseLimits>;
  readonly connections?: Partial<ConnectionLimits>;
  readonly openDatagrams?: (address: string) => Datagrams;
  readonly onMessage: (message: SipMessage, from: Hop, bytes: number) => void;
}

/** How often a free port for both protocols is looked for. */
const PORT_TRIES = 20;

/** UDP and TCP on one address and port. Who is not allowed is dropped here, before anything of it is read. */
export class SipTransport {
  readonly #options: TransportOptions;
  readonly #limits: ParseLimits;
  readonly #tcp: TcpConnections;
  #datagrams: Datagrams;
  #port = 0;
  #closed = false;

  private constructor(options: TransportOptions) {
    this.#options = options;
    this.#limits = { ...PARSE_LIMITS, ...options.parsing };
    this.#datagrams = this.#openDatagrams();
    this.#tcp = new TcpConnections({
      guard: options.guard,
      statistics: options.statistics,
      maxMessageBytes: this.#limits.messageBytes,
      limits: options.connections ?? {},
      onMessage: (bytes, from) => this.#received(bytes, from),
    });
  }

  /** @throws Error when the port is taken */
  static async open(options: TransportOptions): Promise<SipTransport> {
    const transport = new SipTransport(options);
    await transport.#bind();
    return transport;
  }

  get address(): string {
    return this.#options.address;
  }

  get port(): number {
    return this.#port;
  }

  get connections(): number {
    return this.#tcp.size;
  }

  /** Best effort; `onFailed` is called when TCP finds out that it cannot be delivered. */
  send(to: Hop, bytes: Buffer, onFailed?: () => void): void {
    if (this.#closed) return;
    this.#options.statistics.sent += 1;
    switch (to.protocol) {
      case 'udp':
        this.#datagrams.send(bytes, to.address, to.port);
        return;
      case 'tcp':
        this.#tcp.send(to, bytes, onFailed);
        return;
      default: {
        const unreachable: never = to.protocol;
        throw new Error(unreachable);
      }
    }
  }

  /** May be called twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([this.#datagrams.close(), this.#tcp.close()]);
  }

  async #bind(): Promise<void> {
    const { address, port } = this.#options;
    for (let tries = 1; ; tries++) {
      try {
        this.#port = await this.#datagrams.bind(address, port);
        await this.#tcp.listen(address, this.#port);
        return;
      } catch (error) {
        await this.#datagrams.close();
        if (port !== 0 || tries >= PORT_TRIES) {
          await this.#tcp.close();
          throw error;
        }
        this.#datagrams = this.#openDatagrams();
      }
    }
  }

  #openDatagrams(): Datagrams {
    const datagrams = (this.#options.openDatagrams ?? openDatagrams)(this.#options.address);
    datagrams.onDatagram = (bytes, address, port) => {
      // Port 0 is nobody's: what comes from there is forged, and could not be answered.
      if (port === 0 || !this.#options.guard.admits(address)) {
        this.#options.statistics.unknownSources += 1;
        return;
      }
      // Keep-alives of RFC 5626 and of home routers: nothing but line ends or zeros.
      if (bytes.length <= 4 && bytes.every((byte) => byte === 0 || byte === 0x0d || byte === 0x0a)) return;
      this.#received(bytes, { protocol: 'udp', address, port });
    };
    return datagrams;
  }

  #received(bytes: Buffer, from: Hop): void {
    const { statistics, onMessage } = this.#options;
    statistics.received += 1;
    try {
      const parsed = parseMessage(bytes, this.#limits);
      if (parsed.ok) onMessage(parsed.message, from, bytes.length);
      else statistics.malformed[parsed.why] += 1;
    } catch {
      statistics.failures += 1;
    }
  }
}
