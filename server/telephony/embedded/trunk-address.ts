import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** A trunk that moves to another address says so in its name; asked so often. */
const LOOK_EVERY_MS = 300_000;

/** Where the trunk is. A name is looked up by us, now and then; the last good answer stays good. */
export class TrunkAddress {
  readonly #host: string;
  readonly #admits: (address: string) => boolean;
  #address: string | null;
  #timer: NodeJS.Timeout | null = null;

  /** @param admits whether the allow-list has it: nothing is sent anywhere else */
  constructor(host: string, admits: (address: string) => boolean) {
    this.#host = host;
    this.#admits = admits;
    this.#address = isIP(host) !== 0 && admits(host) ? host : null;
  }

  /** null: not known, or no allowed one. */
  get address(): string | null {
    return this.#address;
  }

  /** Resolves after the first look; whether it is known then. */
  async start(): Promise<boolean> {
    if (isIP(this.#host) === 0) {
      await this.#look();
      this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS).unref();
    }
    return this.#address !== null;
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #look(): Promise<void> {
    try {
      const found = await lookup(this.#host, { all: true });
      this.#address = found.find(({ address }) => this.#admits(address))?.address ?? this.#address;
    } catch {
      // The one that was good last stays in use; a trunk that is gone shows as down.
    }
  }
}
