import 'fake-indexeddb/auto';
import type { ClientStorage } from '@teleconsult/client-sdk';
import { PersonId } from '@teleconsult/protocol';
import { describe, expect, it, vi } from 'vitest';
import { DeviceStore } from '../../client-sdk/storage/device-store.ts';
import { openIdbStorage } from '../../client-sdk/storage/idb-storage.ts';
import { createMemoryStorage } from '../../client-sdk/storage/memory-storage.ts';
import { openStorage } from '../../client-sdk/storage/open-storage.ts';
import { codeOf } from './helpers/eventually.ts';
import { minted } from './helpers/samples.ts';

const url = 'http://127.0.0.1:1';
const person = (suffix: string) => PersonId.parse(`person-${suffix}`);
const fresh = () => minted('msg');

const adapters: readonly [name: string, open: () => Promise<ClientStorage>][] = [
  ['memory', () => Promise.resolve(createMemoryStorage())],
  ['IndexedDB', () => openIdbStorage(fresh())],
  ['a part of the host’s own', () => openStorage(createMemoryStorage(), { url, personId: person('1') })],
];

describe.each(adapters)('a storage: %s', (_name, open) => {
  it('[SDK100] what was set is there until it is deleted, and what never was is undefined', async () => {
    const storage = await open();
    expect(await storage.get('a')).toBeUndefined();
    await storage.set('a', { n: 1, list: ['x', null] });
    await storage.set('a', { n: 2 });
    expect(await storage.get('a')).toEqual({ n: 2 });
    await storage.delete('a');
    await storage.delete('a');
    expect(await storage.get('a')).toBeUndefined();
  });

  it('[SDK100] entries come by prefix, ascending by key', async () => {
    const storage = await open();
    for (const key of ['b/2', 'a/1', 'b/1', 'b', 'c/1', 'b/10', 'b0']) await storage.set(key, key);
    expect(await storage.entries('b/')).toEqual([
      ['b/1', 'b/1'],
      ['b/10', 'b/10'],
      ['b/2', 'b/2'],
    ]);
    expect((await storage.entries('')).length).toBe(7);
    expect(await storage.entries('nothing')).toEqual([]);
  });

  it('[SDK100] a value is kept as it was when it was set', async () => {
    const storage = await open();
    const value = { list: [1] };
    const setting = storage.set('a', value);
    value.list.push(2);
    await setting;
    expect(await storage.get('a')).toEqual({ list: [1] });
  });

  it('[SDK100] Blobs keep their bytes and their type', async () => {
    const storage = await open();
    await storage.set('a', { data: new Blob([new Uint8Array([0, 1, 255])], { type: 'image/png' }) });
    const kept = await storage.get('a');
    const data = typeof kept === 'object' && kept !== null && 'data' in kept ? kept.data : null;
    if (!(data instanceof Blob)) throw new Error('no Blob');
    expect(data.type).toBe('image/png');
    expect([...new Uint8Array(await data.arrayBuffer())]).toEqual([0, 1, 255]);
  });

  it('[SDK100] writes that are not awaited take effect in their order', async () => {
    const storage = await open();
    await Promise.all([
      storage.set('a', 1),
      storage.delete('a'),
      storage.set('a', 2),
      storage.set('b', 1),
      storage.delete('b'),
    ]);
    expect(await storage.entries('')).toEqual([['a', 2]]);
  });

  it('[SDK100] clearing forgets everything, and it can be used on', async () => {
    const storage = await open();
    await storage.set('a', 1);
    await storage.clear();
    expect(await storage.entries('')).toEqual([]);
    await storage.set('b', 1);
    expect(await storage.get('b')).toBe(1);
  });
});

describe('the choice of a storage', () => {
  it('[SDK101] each person of each server has a part of their own, in IndexedDB and in a storage of the host', async () => {
    for (const choice of ['durable', createMemoryStorage()] as const) {
      const scopes = [
        { url, personId: person(`a${fresh()}`) },
        { url, personId: person(`b${fresh()}`) },
        { url: 'http://127.0.0.1:2', personId: person('a') },
      ];
      for (const [n, scope] of scopes.entries()) await (await openStorage(choice, scope)).set('key', n);
      for (const [n, scope] of scopes.entries()) {
        expect(await (await openStorage(choice, scope)).get('key')).toBe(n);
      }
      const [first, second] = scopes;
      if (first === undefined || second === undefined) throw new Error('no scopes');
      await (await openStorage(choice, first)).clear();
      expect(await (await openStorage(choice, first)).entries('')).toEqual([]);
      expect(await (await openStorage(choice, second)).entries('')).toEqual([['key', 1]]);
    }
  });

  it('[SDK101] a person whose id begins like another’s sees nothing of theirs', async () => {
    const choice = createMemoryStorage();
    await (await openStorage(choice, { url, personId: person('1') })).set('key', 'private');
    expect(await (await openStorage(choice, { url, personId: person('11') })).entries('')).toEqual([]);
    expect(await (await openStorage(choice, { url, personId: person('') })).entries('')).toEqual([]);
  });

  it('[SDK102] of nobody known, and where there is no IndexedDB, nothing is kept beyond the page', async () => {
    const kept = createMemoryStorage();
    await (await openStorage(kept, { url, personId: null })).set('key', 1);
    expect(await kept.entries('')).toEqual([]);
    const scope = { url, personId: person(fresh()) };
    const before = globalThis.indexedDB;
    Reflect.set(globalThis, 'indexedDB', undefined);
    try {
      await (await openStorage('durable', scope)).set('key', 1);
    } finally {
      Reflect.set(globalThis, 'indexedDB', before);
    }
    expect(await (await openStorage('durable', scope)).get('key')).toBeUndefined();
  });
});

describe('what a device keeps', () => {
  function failing(error: () => Error): ClientStorage {
    const refuse = async () => {
      throw error();
    };
    return { get: refuse, entries: async () => [], set: refuse, delete: refuse, clear: refuse };
  }

  const storeOf = (choice: ClientStorage | 'durable', onFailure: (code: string) => void = () => {}) =>
    new DeviceStore({
      choice,
      url,
      personId: () => person('1'),
      onFailure: ({ code }) => onFailure(code),
    });

  it.each([
    ['STORAGE_FULL', () => new DOMException('', 'QuotaExceededError')],
    ['STORAGE_UNAVAILABLE', () => new DOMException('', 'InvalidStateError')],
  ] as const)(
    '[SDK103] a storage that fails is told as %s, once, and nothing rejects',
    async (code, error) => {
      const told: string[] = [];
      const store = storeOf(failing(error), (one) => told.push(one));
      await store.set('a', { at: Date.now() });
      await store.delete('a');
      expect(await store.get('a')).toBeUndefined();
      expect(told).toEqual([code]);
    },
  );

  it('[SDK103] a storage that works again and fails again is told again', async () => {
    const told: string[] = [];
    const base = createMemoryStorage();
    let isFull = true;
    const set: ClientStorage['set'] = (key, value) =>
      isFull ? Promise.reject(new DOMException('', 'QuotaExceededError')) : base.set(key, value);
    const store = storeOf({ ...base, set }, (code) => told.push(code));
    await store.set('a', { at: Date.now() });
    isFull = false;
    await store.set('a', { at: Date.now() });
    isFull = true;
    await store.set('a', { at: Date.now() });
    expect(told).toEqual(['STORAGE_FULL', 'STORAGE_FULL']);
  });

  it('[SDK103] a storage that does not answer is given up, and memory takes its place', async () => {
    vi.useFakeTimers();
    using _ = { [Symbol.dispose]: () => void vi.useRealTimers() };
    const told: string[] = [];
    const silent = () => new Promise<never>(() => undefined);
    const base = createMemoryStorage();
    const store = storeOf({ ...base, set: silent }, (code) => told.push(code));
    const written = Promise.all([store.set('a', { at: Date.now() }), store.set('b', { at: Date.now() })]);
    // Both wait at the same time.
    await vi.advanceTimersByTimeAsync(6_000);
    await written;
    expect(told).toEqual(['STORAGE_UNAVAILABLE']);
    expect(await store.get('b')).toMatchObject({ at: expect.any(Number) });
  });

  it('[SDK104] a write does not wait for one of another key: a page that is left hears of no answer', async () => {
    const begun: string[] = [];
    const base = createMemoryStorage();
    const unanswered: ClientStorage['set'] = (key) => {
      begun.push(key);
      return new Promise<never>(() => undefined);
    };
    const store = storeOf({ ...base, set: unanswered });
    await store.get('');
    void store.set('first', { at: Date.now() });
    void store.set('second', { at: Date.now() });
    void store.set('second', { at: Date.now() });
    // Microtasks alone: that is all a page has that is being left.
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
    expect(begun.map((key) => key.split('/').at(-1))).toEqual(['first', 'second']);
  });

  it('[SDK104] what is older than 30 days is forgotten when the store is opened', async () => {
    const base = createMemoryStorage();
    const day = 24 * 3_600_000;
    const store = storeOf(base);
    await store.set('old', { at: Date.now() - 31 * day });
    await store.set('young', { at: Date.now() - 29 * day });
    await store.close();
    const again = storeOf(base);
    expect((await again.entries('')).map(([key]) => key)).toEqual(['young']);
  });

  it('[SDK105] forgetting leaves nothing of this person, and rejects when it could not be done', async () => {
    const base = createMemoryStorage();
    const store = storeOf(base);
    await base.set('http://127.0.0.1:1/person-2/key', 'of another');
    void store.set('a', { at: Date.now() });
    await store.clear();
    expect(await base.entries('')).toEqual([['http://127.0.0.1:1/person-2/key', 'of another']]);
    await store.close();
    await base.set('http://127.0.0.1:1/person-1/key', { at: Date.now() });
    await store.clear();
    expect((await base.entries('')).length).toBe(1);
    // Closed, it keeps nothing any more.
    await store.set('late', { at: Date.now() });
    expect((await base.entries('')).length).toBe(1);
    const broken = storeOf({
      ...base,
      entries: async () => {
        throw new DOMException('', 'UnknownError');
      },
    });
    expect(await codeOf(broken.clear())).toBe('STORAGE_UNAVAILABLE');
  });
});
