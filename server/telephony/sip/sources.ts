import { BlockList, isIP } from 'node:net';
import type { SipClock } from './clock.ts';

export interface SourceLimits {
  /** New transactions a second, and at once. */
  readonly requestsPerSecond: number;
  readonly requestBurst: number;
  /** Transactions of one source that may be open. */
  readonly transactions: number;
  /** How many packets and bytes of answers a source may owe us beyond what it has sent. */
  readonly advancePackets: number;
  readonly advanceBytes: number;
}

export const SOURCE_LIMITS: SourceLimits = {
  requestsPerSecond: 100,
  requestBurst: 200,
  // A call is two, and each is kept for half a minute: thirty calls a second of one trunk.
  transactions: 2000,
  advancePackets: 200,
  advanceBytes: 160_000,
};

/** What an answered handshake is worth: the answers of a whole call, some of them lost and sent again. */
const PROOF_PACKETS = 24;
const PROOF_BYTES = 24_000;
/** A source that owes us is forgiven slowly, so that one bad minute does not end a trunk. */
const FORGIVEN_PACKETS_PER_SECOND = 4;
const FORGIVEN_BYTES_PER_SECOND = 3000;
const MAX_SOURCES = 4096;

interface Source {
  tokens: number;
  packets: number;
  bytes: number;
  transactions: number;
  seenAt: number;
}

/**
 * Who may speak to us at all, and how much each may make us do.
 *
 * The sender of a datagram can be forged, and an INVITE nobody acknowledges is answered eleven times: so answers are
 * paid for. Each well-formed request earns its own packet and bytes; who acknowledges an answer (and so has read a
 * tag only the receiver of it can know) earns the answers of a call; beyond that there is a small advance.
 */
export class SourceGuard {
  readonly #allowed = new BlockList();
  readonly #limits: SourceLimits;
  readonly #clock: SipClock;
  readonly #sources = new Map<string, Source>();

  /** @param allow addresses and CIDR ranges; nothing listed: nobody. @throws TypeError for what is neither */
  constructor(allow: readonly string[], limits: SourceLimits, clock: SipClock) {
    for (const entry of allow) this.#allow(entry);
    this.#limits = limits;
    this.#clock = clock;
  }

  admits(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#allowed.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }

  /** How many sources are remembered. */
  get size(): number {
    return this.#sources.size;
  }

  /** Whether one more request may become a transaction now. Each true is given back with `closed`. */
  opens(address: string): 'yes' | 'rate' | 'limit' {
    const source = this.#source(address);
    if (source.tokens < 1) return 'rate';
    if (source.transactions >= this.#limits.transactions) return 'limit';
    source.tokens -= 1;
    source.transactions += 1;
    return 'yes';
  }

  closed(address: string): void {
    const source = this.#sources.get(address);
    if (source !== undefined && source.transactions > 0) source.transactions -= 1;
  }

  /** A well-formed request came from there. */
  earns(address: string, bytes: number): void {
    this.#credit(address, 1, bytes);
  }

  /** It has acknowledged an answer of ours. */
  proves(address: string): void {
    this.#credit(address, PROOF_PACKETS, PROOF_BYTES);
  }

  /** Whether so much may be sent there unasked for. */
  pays(address: string, bytes: number): boolean {
    const source = this.#source(address);
    if (source.packets < 1 || source.bytes < bytes) return false;
    source.packets -= 1;
    source.bytes -= bytes;
    return true;
  }

  #credit(address: string, packets: number, bytes: number): void {
    const source = this.#source(address);
    // Nobody saves up for a flood: a fair trunk never needs more than a few times the advance.
    source.packets = Math.min(source.packets + packets, 10 * this.#limits.advancePackets);
    source.bytes = Math.min(source.bytes + bytes, 10 * this.#limits.advanceBytes);
  }

  #source(address: string): Source {
    const now = this.#clock.now();
    const limits = this.#limits;
    const known = this.#sources.get(address);
    if (known === undefined) {
      this.#forgetOne();
      const source = {
        tokens: limits.requestBurst,
        packets: limits.advancePackets,
        bytes: limits.advanceBytes,
        transactions: 0,
        seenAt: now,
      };
      this.#sources.set(address, source);
      return source;
    }
    const seconds = (now - known.seenAt) / 1000;
    known.seenAt = now;
    known.tokens = Math.min(known.tokens + seconds * limits.requestsPerSecond, limits.requestBurst);
    if (known.packets < limits.advancePackets)
      known.packets = Math.min(known.packets + seconds * FORGIVEN_PACKETS_PER_SECOND, limits.advancePackets);
    if (known.bytes < limits.advanceBytes)
      known.bytes = Math.min(known.bytes + seconds * FORGIVEN_BYTES_PER_SECOND, limits.advanceBytes);
    return known;
  }

  /** The list may allow whole networks; so many of it are remembered. One that has open transactions stays. */
  #forgetOne(): void {
    if (this.#sources.size < MAX_SOURCES) return;
    for (const [address, source] of this.#sources) {
      if (source.transactions > 0) continue;
      this.#sources.delete(address);
      return;
    }
  }

  #allow(entry: string): void {
    const [address = '', prefix] = entry.split('/');
    const family = isIP(address);
    const type = family === 6 ? 'ipv6' : 'ipv4';
    if (family === 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix)))
      throw new TypeError('an allowed source is an address or a CIDR range');
    if (prefix === undefined) this.#allowed.addAddress(address, type);
    else this.#allowed.addSubnet(address, Number(prefix), type);
  }
}
