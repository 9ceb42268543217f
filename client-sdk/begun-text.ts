import type { ConsultationId } from '@teleconsult/protocol';
import type { Lifetime } from './lifetime.ts';
import { watchLeaving } from './network-hints.ts';
import type { DeviceStore } from './storage/device-store.ts';

export interface BegunTextOptions {
  readonly consultationId: ConsultationId;
  readonly store: DeviceStore;
  readonly life: Lifetime;
}

/** Between one writing and the next, in milliseconds: a page that dies takes no more typing than that with it. */
const WRITE_EVERY_MS = 400;

/** The text that was begun in one consultation and not sent; kept over reloads. */
export class BegunText {
  readonly #options: BegunTextOptions;
  #text = '';
  /** What is kept now. */
  #kept = '';
  /** Set before what was kept has been read: that is older. */
  #isSet = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: BegunTextOptions) {
    this.#options = options;
    const { life } = options;
    const stopWatching = watchLeaving(() => void this.flush());
    life.onEnd(() => {
      stopWatching();
      void this.flush();
    });
  }

  get text(): string {
    return this.#text;
  }

  set(text: string): void {
    this.#isSet = true;
    this.#text = text;
    if (this.#options.life.over) return;
    // What was sent must not stand there again when the page is closed right after.
    if (text === '') return void this.flush();
    if (this.#timer !== undefined) return;
    void this.#write();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#text !== this.#kept) this.set(this.#text);
    }, WRITE_EVERY_MS);
  }

  async restore(): Promise<void> {
    const kept = await this.#options.store.get(this.#key);
    if (this.#isSet || typeof kept !== 'object' || kept === null || !('text' in kept)) return;
    if (typeof kept.text !== 'string') return;
    this.#kept = kept.text;
    this.#text = kept.text;
  }

  /** Writes now what has not been written. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#write();
  }

  async forget(): Promise<void> {
    this.set('');
    await this.flush();
  }

  async #write(): Promise<void> {
    const text = this.#text;
    if (text === this.#kept) return;
    this.#kept = text;
    const { store } = this.#options;
    await (text === '' ? store.delete(this.#key) : store.set(this.#key, { at: Date.now(), text }));
  }

  get #key(): string {
    return `draft/${this.#options.consultationId}`;
  }
}
