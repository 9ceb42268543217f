/**
 * From whom a leg takes sound, and where what it is sent goes.
 *
 * `signalled`: only the host the other side's SDP names. Its port is taken from its first packet (telephones and gateways
 * behind a port-changing firewall), and held. `first`: within the first seconds after the address was signalled, the first
 * valid packet from anywhere is believed, for phones behind NAT; the signalled address, should it speak in that time, wins.
 *
 * In both the port moves again only to the signalled one, or on the same host once the held one has been silent; another
 * host is never believed later without a new signalled address. Whoever sprays packets at our ports late in a call gets nothing.
 */
import { isIPv6, SocketAddress } from 'node:net';

/** A held port that has been silent so long may be left for another of its host. */
const MOVES_AFTER_SILENT_MS = 2_000;

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export class SourceGate {
  readonly #mode: 'signalled' | 'first';
  readonly #openMs: number;
  #signalled: Endpoint | null = null;
  #signalledAt = 0;
  #held: Endpoint | null = null;
  #heardAt = 0;

  /** `openMs`: how long after its address was signalled a `first` leg believes anybody. */
  constructor(mode: 'signalled' | 'first', openMs: number) {
    this.#mode = mode;
    this.#openMs = openMs;
  }

  /** Where to send: to whom we listen, else to what was signalled. */
  get destination(): Endpoint | null {
    return this.#held ?? this.#signalled;
  }

  /** The other side has said where it listens. The same again keeps what is held. */
  signal(endpoint: Endpoint, now: number): void {
    const plain = { host: plainHost(endpoint.host), port: endpoint.port };
    const isSame =
      this.#signalled !== null && this.#signalled.host === plain.host && this.#signalled.port === plain.port;
    if (!isSame) this.#held = null;
    this.#signalled = plain;
    if (this.#held === null) this.#signalledAt = now;
  }

  /** Whether a valid packet is believed; an accepted one may move the gate. */
  accepts(host: string, port: number, now: number): boolean {
    // Nothing can be sent to port 0, so nobody sends from there: it is forged, and would end the call with an error.
    if (this.#signalled === null || port === 0) return false;
    const held = this.#held;
    if (held !== null && held.host === host && held.port === port) {
      this.#heardAt = now;
      return true;
    }
    if (!this.#mayMoveTo(host, port, now)) return false;
    this.#held = { host, port };
    this.#heardAt = now;
    return true;
  }

  #mayMoveTo(host: string, port: number, now: number): boolean {
    const signalled = this.#signalled;
    const held = this.#held;
    if (signalled === null) return false;
    const isOpen = this.#mode === 'first' && now - this.#signalledAt <= this.#openMs;
    if (held === null) return host === signalled.host || isOpen;
    if (host === signalled.host && port === signalled.port) return host === held.host || isOpen;
    return host === held.host && now - this.#heardAt >= MOVES_AFTER_SILENT_MS;
  }
}

/** As the kernel writes it, so that hosts compare as text. */
export const plainHost = (host: string): string =>
  isIPv6(host) ? new SocketAddress({ address: host, family: 'ipv6' }).address : host;
