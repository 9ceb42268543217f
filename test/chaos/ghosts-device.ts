import {
  type Call,
  type ClientStorage,
  type Consultation,
  createTeleconsultClient,
  type TeleconsultClient,
} from '@teleconsult/client-sdk';
import type { CallView, ConsultationId } from '@teleconsult/protocol';
import { createMemoryStorage } from '../../client-sdk/storage/memory-storage.ts';
import { FakeMedia } from '../client-sdk/helpers/fake-media.ts';
import { eventually } from '../helpers/eventually.ts';
import { personToken } from '../helpers/test-tokens.ts';
import { type BreakableLine, openLine } from './ghosts-line.ts';

interface Page {
  readonly client: TeleconsultClient;
  /** Null until the page has opened the consultation. */
  consultation: Consultation | null;
  /** From now on nothing that it writes is kept. */
  freeze(): void;
  /** It is closed, and so cannot get through again. */
  isSilent(): boolean;
}

interface DeviceOptions {
  readonly origin: string;
  readonly personId: string;
  readonly deviceId: string;
  readonly consultationId: ConsultationId;
  /** Every state of a call that one of its pages is told. */
  readonly onTold: (view: CallView) => void;
}

/** A phone or a computer: what it keeps outlives its pages, which come and go without a goodbye. */
export class Device implements AsyncDisposable {
  readonly personId: string;
  readonly deviceId: string;
  readonly #options: DeviceOptions;
  readonly #storage = createMemoryStorage();
  #page: Page | null = null;
  /** One for all pages: what a page keeps is kept for the origin that it was loaded from. */
  #line: BreakableLine | null = null;
  readonly #gone: Page[] = [];

  constructor(options: DeviceOptions) {
    this.#options = options;
    this.personId = options.personId;
    this.deviceId = options.deviceId;
  }

  /** Null while this device does not take part in it. */
  get call(): Call | null {
    const call = this.#page?.client.activeCall ?? null;
    return call !== null && call.outcome === null && call.role !== 'elsewhere' ? call : null;
  }

  /** The call of the consultation, whoever of this person takes part in it. */
  get shownCall(): Call | null {
    return this.#page?.consultation?.call ?? null;
  }

  get isConnected(): boolean {
    return this.#page?.client.connection === 'connected';
  }

  /** How this device is, for whoever reads why a test failed. */
  get inWords(): string {
    const { connection, activeCall } = this.#page?.client ?? {};
    const { role, outcome, view } = this.shownCall ?? {};
    const pages = this.#gone.map(({ client }) => client.connection).join(' ');
    return `${this.deviceId}: ${connection}, active ${activeCall?.role} ${activeCall?.outcome}, shown ${role} ${outcome} ${view?.state}; earlier pages ${pages}`;
  }

  get consultation(): Consultation {
    const consultation = this.#page?.consultation ?? null;
    if (consultation === null) throw new Error(`${this.deviceId} shows no consultation`);
    return consultation;
  }

  /** Loads the page, to the moment when it has found what it was in; the one before is there until `lose`. */
  async load(): Promise<void> {
    await this.begin();
    await this.restore();
  }

  /** Begins to load the page. */
  async begin(): Promise<void> {
    const { origin, personId, deviceId, onTold } = this.#options;
    this.#line ??= await openLine(origin);
    this.#line.mend();
    const { storage, freeze, isFrozen } = freezable(this.#storage);
    // Somebody else's token closes a client for good, before it has told the server anything.
    const token = (): string => personToken(isFrozen() ? 'nobody' : personId);
    const client = createTeleconsultClient({
      url: this.#line.origin,
      token,
      deviceId,
      media: new FakeMedia(),
      storage,
      reconnect: () => 5,
    });
    const page: Page = {
      client,
      consultation: null,
      freeze,
      isSilent: () => client.connection === 'closed',
    };
    client.on('call', onTold);
    if (this.#page !== null) this.#gone.push(this.#page);
    this.#page = page;
  }

  /** The page finds what it was in, as long as it lives. */
  async restore(): Promise<void> {
    const page = this.#page;
    if (page === null) return;
    await page.client.restoreCall();
    page.consultation = await page.client.open(this.#options.consultationId);
  }

  /** The page is gone from one moment to the next: it says nothing and writes nothing any more. */
  async lose(): Promise<void> {
    const page = this.#page;
    page?.freeze();
    this.#line?.cut();
    // An attempt that was under way would get through as soon as the line is mended.
    await eventually('the page to be silent', () => page?.isSilent() ?? true, { withinMs: 20_000 });
  }

  cutLine(): void {
    this.#line?.cut();
  }

  mendLine(): void {
    this.#line?.mend();
  }

  /** Closes what this device had open, past and present. */
  async [Symbol.asyncDispose](): Promise<void> {
    const pages = [...this.#gone.splice(0), ...(this.#page === null ? [] : [this.#page])];
    this.#page = null;
    await Promise.all(pages.map(({ client }) => client.close()));
    await this.#line?.[Symbol.asyncDispose]();
  }
}

/** The store of a page that can die: what it writes after that is not kept. */
function freezable(store: ClientStorage): {
  storage: ClientStorage;
  freeze: () => void;
  isFrozen: () => boolean;
} {
  let isFrozen = false;
  return {
    isFrozen: () => isFrozen,
    freeze: () => {
      isFrozen = true;
    },
    storage: {
      get: (key) => store.get(key),
      entries: (prefix) => store.entries(prefix),
      set: async (key, value) => {
        if (!isFrozen) await store.set(key, value);
      },
      delete: async (key) => {
        if (!isFrozen) await store.delete(key);
      },
      clear: async () => {
        if (!isFrozen) await store.clear();
      },
    },
  };
}
