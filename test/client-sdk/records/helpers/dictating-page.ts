import type { ClientStorage } from '@teleconsult/client-sdk';
import { AppError, ConsultationId, type PersonId } from '@teleconsult/protocol';
import { Emitter } from '../../../../client-sdk/events.ts';
import type { ClientInsides } from '../../../../client-sdk/insides.ts';
import { Lifetime } from '../../../../client-sdk/lifetime.ts';
import { MediaDevice } from '../../../../client-sdk/media-device.ts';
import { DictationShelf } from '../../../../client-sdk/records/dictation-shelf.ts';
import type { LocalDictation } from '../../../../client-sdk/records/local-dictation.ts';
import { createMemoryStorage } from '../../../../client-sdk/storage/memory-storage.ts';
import { TokenSource } from '../../../../client-sdk/token-source.ts';
import { FakeMedia } from '../../helpers/fake-media.ts';
import { FakeSignalling } from '../../helpers/fake-signalling.ts';
import { doctor, minted, tokenFor } from '../../helpers/samples.ts';
import { DictationServer } from './dictation-server.ts';

/** Called before and after everything that leaves the page; true: the page died at that moment. */
export type Fate = (what: string, moment: 'before' | 'after') => boolean;

/** A device and a server. Pages come and go, and die where the test says. */
export class DictationWorld {
  readonly server = new DictationServer();
  readonly kept = createMemoryStorage();
  readonly consultationId = ConsultationId.parse(minted('cns'));
  /** Why nothing can be kept now; null: it can. */
  keeping: { readonly name: string } | null = null;
  /** Writing waits for it. */
  disk: Promise<void> = Promise.resolve();
  readonly #pages = new Map<string, DictatingPage>();

  page({ fate = () => false, person = doctor }: { fate?: Fate; person?: PersonId } = {}): DictatingPage {
    const token = tokenFor(person, `page-${this.#pages.size}`);
    const page = new DictatingPage(this, { fate, token, person });
    this.#pages.set(`Bearer ${token}`, page);
    return page;
  }

  /** Stands in for the browser's `fetch`: a request belongs to the page whose token it carries. */
  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const page = this.#pages.get(new Headers(init.headers).get('authorization') ?? '');
    if (page === undefined || !(init.body instanceof Uint8Array)) throw new Error('an unexpected request');
    const body = init.body;
    return page.leaving('put', async () => {
      if (!page.signalling.connected) throw new TypeError('fetch failed');
      return this.server.put(url, body);
    });
  };
}

export class DictatingPage {
  readonly media = new FakeMedia();
  readonly signalling = new FakeSignalling();
  readonly life = new Lifetime();
  readonly insides: ClientInsides;
  readonly shelf: DictationShelf;
  readonly #world: DictationWorld;
  readonly #fate: Fate;
  isDead = false;

  constructor(
    world: DictationWorld,
    { fate, token, person }: { fate: Fate; token: string; person: PersonId },
  ) {
    this.#world = world;
    this.#fate = fate;
    this.signalling.answer = (name, payload) =>
      this.leaving(name, async () => {
        if (!this.signalling.connected) throw new AppError('DISCONNECTED');
        return world.server.answer(name, payload);
      });
    this.insides = {
      url: 'https://visit.example.org',
      tokens: new TokenSource(token),
      signalling: Object.assign(this.signalling, { personId: person }),
      device: new MediaDevice(this.media),
      life: this.life,
      storage: this.#storage(),
      facts: new Emitter(),
      farewells: new Set(),
    };
    this.shelf = DictationShelf.of(this.insides);
  }

  get dictations(): readonly LocalDictation[] {
    return this.shelf.list(this.#world.consultationId);
  }

  dictate(): Promise<LocalDictation> {
    return this.shelf.dictate({
      consultationId: this.#world.consultationId,
      purpose: 'summary',
      followUpId: null,
    });
  }

  /** What a dead page has begun takes effect or not, and it never hears of it. */
  async leaving<T>(what: string, work: () => Promise<T>): Promise<T> {
    const never = new Promise<T>(() => {});
    if (this.isDead || this.#dies(what, 'before')) return never;
    try {
      const result = await work();
      return this.isDead || this.#dies(what, 'after') ? await never : result;
    } catch (error) {
      if (this.isDead) return never;
      throw error;
    }
  }

  async leave(why: 'close' | 'forget'): Promise<void> {
    await Promise.all([...this.insides.farewells].map((farewell) => farewell(why)));
    if (why === 'close') this.life.end(new AppError('DISCONNECTED', { detail: 'the client was closed' }));
  }

  #dies(what: string, moment: 'before' | 'after'): boolean {
    this.isDead ||= this.#fate(what, moment);
    return this.isDead;
  }

  #storage(): ClientStorage {
    const { kept } = this.#world;
    return {
      get: (key) => this.leaving('get', () => kept.get(key)),
      entries: (prefix) => this.leaving('entries', () => kept.entries(prefix)),
      set: (key, value) =>
        this.leaving('set', async () => {
          await this.#world.disk;
          if (this.#world.keeping !== null) throw new DOMException('no', this.#world.keeping.name);
          await kept.set(key, value);
        }),
      delete: (key) => this.leaving('delete', () => kept.delete(key)),
      clear: () => this.leaving('clear', () => kept.clear()),
    };
  }
}
