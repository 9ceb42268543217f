import { Readable } from 'node:stream';
import { AppError } from '@teleconsult/protocol';
import { GuardedObjectStore } from '@teleconsult/server/storage/objects/guarded';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MoodyObjectStore } from '../../../contract/object-store.stand-in.ts';
import { contentOf, keysOf } from '../../../contract/object-store.suite.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const bytesOf = (text: string) => Readable.from([Buffer.from(text)]);
const unavailable = { code: 'STORAGE_UNAVAILABLE', retryable: true };

function guard() {
  const store = new MoodyObjectStore();
  const changes: boolean[] = [];
  const guarded = new GuardedObjectStore(store, { onChange: (reachable) => changes.push(reachable) });
  return { store, guarded, changes, [Symbol.dispose]: () => guarded.close() };
}

test('[OBJ48] after three failures a store is not asked by anybody, and calls fail at once', async () => {
  using under = guard();
  const { store, guarded, changes } = under;
  store.mood = 'down';
  for (const ask of [
    () => guarded.head('a'),
    () => guarded.open('a'),
    () => guarded.put('a', bytesOf('x')),
    () => guarded.delete('a'),
    () => keysOf(guarded),
  ])
    await expect(ask()).rejects.toMatchObject(unavailable);
  expect(store.asked).toBe(3);
  expect(guarded.reachable).toBe(false);
  expect(changes).toEqual([false]);
});

test('[OBJ48] a probe finds out that it is back, sooner at first and at least every ten seconds', async () => {
  using under = guard();
  const { store, guarded, changes } = under;
  store.mood = 'down';
  for (let times = 0; times < 3; times += 1) await guarded.head('a').catch(() => undefined);
  const askedAt: number[] = [];
  const begun = Date.now();
  let asked = store.asked;
  while (Date.now() - begun < 60_000) {
    await vi.advanceTimersByTimeAsync(500);
    if (store.asked > asked) askedAt.push(Date.now() - begun);
    asked = store.asked;
  }
  expect(askedAt).toEqual([500, 1_500, 3_500, 7_500, 15_500, 25_500, 35_500, 45_500, 55_500]);
  store.mood = 'up';
  await vi.advanceTimersByTimeAsync(10_000);
  expect(guarded.reachable).toBe(true);
  expect(changes).toEqual([false, true]);
  await guarded.put('a', bytesOf('x'));
  expect(await contentOf(guarded, 'a')).toBe('x');
});

test('[OBJ48] failures that are not in a row, answers, and failures of the bytes close nothing', async () => {
  using under = guard();
  const { store, guarded } = under;
  const failing = async function* () {
    yield Buffer.from('x');
    throw new AppError('STORAGE_UNAVAILABLE');
  };
  for (let times = 0; times < 10; times += 1) {
    store.mood = 'down';
    await guarded.head('a').catch(() => undefined);
    await guarded.head('a').catch(() => undefined);
    store.mood = 'full';
    await expect(guarded.put('a', bytesOf('x'))).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    store.mood = 'up';
    await expect(guarded.put('a', failing())).rejects.toMatchObject(unavailable);
    await expect(guarded.open('a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }
  expect(guarded.reachable).toBe(true);
});

test('[OBJ48] reads of an open source count like others', async () => {
  using under = guard();
  const { store, guarded } = under;
  await store.put('a', bytesOf('x'));
  const open = store.open.bind(store);
  store.open = async (key) => ({
    ...(await open(key)),
    read: () => Promise.reject(new AppError('STORAGE_UNAVAILABLE')),
  });
  const source = await guarded.open('a');
  for (let times = 0; times < 3; times += 1)
    await expect(source.read(0, 1)).rejects.toMatchObject(unavailable);
  expect(guarded.reachable).toBe(false);
});

test('[OBJ48] a closed guard asks nothing any more', async () => {
  const { store, guarded } = guard();
  store.mood = 'down';
  for (let times = 0; times < 3; times += 1) await guarded.head('a').catch(() => undefined);
  guarded.close();
  guarded.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(store.asked).toBe(3);
  expect(vi.getTimerCount()).toBe(0);
});
