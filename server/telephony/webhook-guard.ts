/** What every report of a provider passes before it is believed: its size, its sender, its secret, and a time limit. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import type { Clock, Log } from '../host/ports.ts';
import type { WebhookAnswer } from './ports.ts';

/** Hundreds of reports fit; nothing a provider sends is larger. */
export const MAX_WEBHOOK_BYTES = 262_144;

/** Whoever forges does so often: one line a window tells of it. */
const SUSPICION_WINDOW_MS = 60_000;

export const answered = (
  status: number,
  body = '',
  contentType = 'text/plain; charset=utf-8',
): WebhookAnswer => ({ status, contentType, body });

/** Whether two texts are the same, in a time that says nothing of where they differ. */
export function sameText(given: string, expected: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}

/** Addresses and networks (`203.0.113.0/24`, `2001:db8::/32`) that reports may come from. */
export class AddressList {
  readonly #list = new BlockList();

  /** @throws Error when an entry is neither an address nor a network */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const [address = '', prefix, ...rest] = entry.split('/');
      const version = isIP(address);
      const most = version === 6 ? 128 : 32;
      if (version === 0 || rest.length > 0 || (prefix !== undefined && !isPrefix(prefix, most)))
        throw new Error(`Neither an address nor a network: ${JSON.stringify(entry)}`);
      this.#list.addSubnet(
        address,
        prefix === undefined ? most : Number(prefix),
        version === 6 ? 'ipv6' : 'ipv4',
      );
    }
  }

  has(address: string): boolean {
    // A dual-stack socket tells IPv4 peers as IPv4-mapped addresses (RFC 4291, 2.5.5.2).
    const plain = address.toLowerCase().startsWith('::ffff:') ? address.slice(7) : address;
    const shown = isIP(plain) === 4 ? plain : address;
    const version = isIP(shown);
    return version !== 0 && this.#list.check(shown, version === 6 ? 'ipv6' : 'ipv4');
  }
}

const isPrefix = (text: string, most: number): boolean => /^\d{1,3}$/.test(text) && Number(text) <= most;

export type Suspicion =
  | 'too_large'
  | 'method'
  | 'source'
  | 'secret'
  | 'signature'
  | 'account'
  | 'replayed'
  | 'malformed'
  | 'not_ours';

/** Counts reports that were not believed; says so in the log once a window, without anything of theirs. */
export class Suspicions {
  readonly #provider: string;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #counts = new Map<Suspicion, number>();
  #quietUntil = 0;
  #sinceSaid = 0;

  constructor({ provider, log, clock }: { provider: string; log: Log; clock: Clock }) {
    this.#provider = provider;
    this.#log = log;
    this.#clock = clock;
  }

  add(what: Suspicion): void {
    this.#counts.set(what, this.count(what) + 1);
    this.#sinceSaid += 1;
    const now = this.#clock();
    if (now < this.#quietUntil) return;
    this.#quietUntil = now + SUSPICION_WINDOW_MS;
    this.#log.warn('a report of the phone provider was not believed', {
      event: this.#provider,
      reason: what,
      count: this.#sinceSaid,
    });
    this.#sinceSaid = 0;
  }

  count(what: Suspicion): number {
    return this.#counts.get(what) ?? 0;
  }
}

/** Took longer than it may. */
export class TooLate extends Error {
  override readonly name = 'TooLate';
}

/** The result, or `TooLate`. The work goes on; who calls sees to what comes of it. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TooLate('too late')), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
