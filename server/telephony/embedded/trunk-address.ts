import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** A trunk that moves to another address says so in its name; asked so often. */
const LOOK_EVERY_MS = 300_000;

export interface TrunkAddressParts {
  readonly host: string;
  /** Whether the allow-list has it: nothing is sent anywhere else. */
  readonly admits: (address: string) => boolean;
  /** What a name stands for; the system's, where nothing is given. */
  readonly find?: (name: string) => Promise<readonly { readonly address: string }[]>;
}

/** Where the trunk is. A name is looked up by us, now and then; the last good answer stays good. */
export class TrunkAddress {
  readonly #parts: TrunkAddressParts;
  #address: string | null;
  #timer: NodeJS.Timeout | null = null;
  #tellMoved: () => void = () => undefined;

  constructor(parts: TrunkAddressParts) {
    const { host, admits } = parts;
    this.#parts = parts;
    this.#address = isIP(host) !== 0 && admits(host) ? host : null;
  }

  /** null: not known, or no allowed one. */
  get address(): string | null {
    return this.#address;
  }

  /** Whom to tell that it is another one now. */
  onMoved(listener: () => void): void {
    this.#tellMoved = listener;
  }

  /** Resolves after the first look; whether it is known then. */
  async start(): Promise<boolean> {
    if (isIP(this.#parts.host) === 0) {
      await this.look();
      this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
    }
    return this.#address !== null;
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Asks what the name stands for now. Never rejects. */
  async look(): Promise<void> {
    const { host, admits, find = (name) => lookup(name, { all: true }) } = this.#parts;
    try {
      const allowed = (await find(host)).map(({ address }) => address).filter(admits);
      const [first] = allowed;
      const before = this.#address;
      // One of several stays the one: a name server gives them in another order each time.
      if (first === undefined || (before !== null && allowed.includes(before))) return;
      this.#address = first;
      if (before !== null) this.#tellMoved();
    } catch {
      // The one that was good last stays in use; a trunk that is gone shows as down.
    }
  }
}
