import type { Phone, PhoneBoard } from '@teleconsult/client-sdk/phone';
import { AppError } from '@teleconsult/protocol/errors';
import { Changes } from './changes.ts';

/** Masked calls of one visit as the pages show them. Their code is fetched with the first who asks. */
export class VisitPhone {
  readonly changes = new Changes();
  readonly #open: () => Promise<Phone>;
  #phone: Phone | null = null;
  #opening: Promise<Phone> | null = null;
  #isLoaded = false;
  #isClosed = false;

  constructor(open: () => Promise<Phone>) {
    this.#open = open;
  }

  /** null until it is known. */
  get board(): PhoneBoard | null {
    return this.#isLoaded ? (this.#phone?.board ?? null) : null;
  }

  /** Fetched once, however many ask at the same time; after a failure it can be asked again. */
  open(): Promise<Phone> {
    this.#opening ??= this.#load().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  close(): void {
    this.#isClosed = true;
    this.#phone?.close();
  }

  async #load(): Promise<Phone> {
    const phone = this.#phone ?? (await this.#open());
    if (this.#isClosed) {
      phone.close();
      throw new AppError('ABORTED');
    }
    if (this.#phone === null) {
      this.#phone = phone;
      phone.on('board', () => this.changes.announce());
    }
    await phone.load();
    this.#isLoaded = true;
    this.changes.announce();
    return phone;
  }
}
