import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { AppError } from '@teleconsult/protocol';
import type { PutOptions } from '@teleconsult/server/storage/objects/object-store';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  MoodyObjectStore,
  openPair,
  type Pair,
  type StoreMood,
} from '../../../contract/object-store.stand-in.ts';
import { contentOf, keysOf } from '../../../contract/object-store.suite.ts';
import { eventually } from '../../../helpers/eventually.ts';

const bytesOf = (text: string) => Readable.from([Buffer.from(text)]);
const unavailable = { code: 'STORAGE_UNAVAILABLE', retryable: true };

test.each<StoreMood>(['down', 'full', 'mute'])(
  '[OBJ42] what a first store that is %s does not take goes to the second, is read from there, and comes home',
  async (mood) => {
    await using pair = await openPair();
    await pair.store.put('before', bytesOf('at home'));
    pair.first.mood = mood;
    expect(await pair.store.put('a', bytesOf('away'))).toEqual({ byteSize: 4 });
    expect(pair.store.awayCount).toBe(1);
    expect(await contentOf(pair.store, 'a')).toBe('away');
    expect(await pair.store.head('a')).toEqual({ byteSize: 4 });
    pair.first.mood = 'up';
    await pair.restart();
    expect(await contentOf(pair.store, 'a')).toBe('away');
    expect(await keysOf(pair.store)).toEqual(['a', 'before']);
    expect(await pair.store.bringHome()).toEqual({ moved: 1, damaged: 0 });
    expect(await contentOf(pair.first, 'a')).toBe('away');
    expect(await keysOf(pair.second)).toEqual([]);
    expect(pair.store.awayCount).toBe(0);
    expect(await contentOf(pair.store, 'a')).toBe('away');
  },
);

test('[OBJ42] a long object that the first loses in the middle is whole in the second, and no file is left', async () => {
  await using pair = await openPair();
  pair.first.mood = 'down';
  const pieces = Array.from({ length: 30 }, (_, index) => Buffer.alloc(300_000, index));
  // One buffer that is filled again and again, as a reader of files may do.
  const reused = Buffer.alloc(300_000);
  const bytes = async function* () {
    for (const piece of pieces) {
      piece.copy(reused);
      yield reused;
    }
  };
  expect(await pair.store.put('long', bytes())).toEqual({ byteSize: 9_000_000 });
  await using source = await pair.second.open('long');
  expect((await source.read(0, 9_000_000)).equals(Buffer.concat(pieces))).toBe(true);
  expect(await readdir(join(pair.folder, 'replay'))).toEqual([]);
});

test('[OBJ42] a failure of the bytes themselves is no reason for the second store', async () => {
  await using pair = await openPair();
  const failure = new AppError('STORAGE_UNAVAILABLE');
  const failing = async function* () {
    yield Buffer.from('x');
    throw failure;
  };
  for (let times = 0; times < 5; times += 1)
    await expect(pair.store.put('a', failing())).rejects.toBe(failure);
  expect(pair.second.asked).toBe(1);
  await pair.store.put('a', bytesOf('x'));
  expect(await contentOf(pair.first, 'a')).toBe('x');
});

test('[OBJ43] while nothing is away the second store is not asked, and may be down', async () => {
  await using pair = await openPair();
  const askedToOpen = pair.second.asked;
  pair.second.mood = 'down';
  await pair.store.put('a', bytesOf('x'));
  expect(await contentOf(pair.store, 'a')).toBe('x');
  expect(await pair.store.head('b')).toBeNull();
  expect(await keysOf(pair.store)).toEqual(['a']);
  await pair.store.delete('a');
  expect(pair.second.asked).toBe(askedToOpen);
});

test('[OBJ43] that nothing is away is remembered over a restart during which the second store is down', async () => {
  await using pair = await openPair();
  await pair.store.put('a', bytesOf('x'));
  pair.second.mood = 'down';
  await pair.restart();
  expect(await contentOf(pair.store, 'a')).toBe('x');
  expect(await keysOf(pair.store)).toEqual(['a']);
  await pair.store.put('b', bytesOf('y'));
});

test('[OBJ43] after a restart during which the second store is down and may have objects, nothing stale is read', async () => {
  await using pair = await openPair();
  await pair.store.put('a', bytesOf('old'));
  pair.first.mood = 'full';
  await pair.store.put('a', bytesOf('new'));
  pair.first.mood = 'up';
  pair.second.mood = 'down';
  await pair.restart();
  await expect(contentOf(pair.store, 'a')).rejects.toMatchObject(unavailable);
  await expect(pair.store.head('a')).rejects.toMatchObject(unavailable);
  await expect(keysOf(pair.store)).rejects.toMatchObject(unavailable);
  await expect(pair.store.bringHome()).rejects.toMatchObject(unavailable);
  pair.second.mood = 'up';
  await pair.restart();
  expect(await contentOf(pair.store, 'a')).toBe('new');
});

test('[OBJ44] a put that the first store takes removes what the second had, or is not acknowledged', async () => {
  await using pair = await openPair();
  pair.first.mood = 'full';
  await pair.store.put('a', bytesOf('one'));
  pair.first.mood = 'up';
  pair.now += 60_000;
  pair.second.mood = 'down';
  await expect(pair.store.put('a', bytesOf('two'))).rejects.toMatchObject(unavailable);
  pair.second.mood = 'up';
  await pair.store.put('a', bytesOf('three'));
  expect(await keysOf(pair.second)).toEqual([]);
  await pair.restart();
  expect(await contentOf(pair.store, 'a')).toBe('three');
});

test('[OBJ44] a delete removes both, or is not acknowledged and brings nothing older back', async () => {
  await using pair = await openPair();
  await pair.store.put('a', bytesOf('old'));
  pair.first.mood = 'full';
  await pair.store.put('a', bytesOf('new'));
  pair.first.mood = 'down';
  await expect(pair.store.delete('a')).rejects.toMatchObject(unavailable);
  expect(await contentOf(pair.store, 'a')).toBe('new');
  pair.first.mood = 'up';
  pair.second.mood = 'down';
  await expect(pair.store.delete('a')).rejects.toMatchObject(unavailable);
  pair.second.mood = 'up';
  await pair.restart();
  expect(await contentOf(pair.store, 'a')).toBe('new');
  await pair.store.delete('a');
  await pair.restart();
  expect(await pair.store.head('a')).toBeNull();
  expect(await keysOf(pair.first)).toEqual([]);
  expect(await keysOf(pair.second)).toEqual([]);
});

test('[OBJ44] a put to the second whose answer was lost does not come out after a later put to the first', async () => {
  await using pair = await openPair();
  pair.first.mood = 'full';
  pair.second.mood = 'mute';
  await expect(pair.store.put('a', bytesOf('unsure'))).rejects.toMatchObject(unavailable);
  pair.first.mood = 'up';
  pair.second.mood = 'up';
  pair.now += 60_000;
  await pair.store.put('a', bytesOf('sure'));
  await pair.restart();
  expect(await contentOf(pair.store, 'a')).toBe('sure');
});

test('[OBJ45] a full store is not filled again by every put: it is asked again after half a minute', async () => {
  await using pair = await openPair();
  pair.first.mood = 'full';
  await pair.store.put('a', bytesOf('x'));
  const asked = pair.first.asked;
  await pair.store.put('b', bytesOf('x'));
  expect(pair.first.asked).toBe(asked);
  pair.first.mood = 'up';
  pair.now += 30_000;
  await pair.store.put('c', bytesOf('x'));
  expect(await keysOf(pair.first)).toEqual(['c']);
});

test('[OBJ45] when both are full or down, the put says so', async () => {
  await using pair = await openPair();
  pair.first.mood = 'full';
  pair.second.mood = 'full';
  await expect(pair.store.put('a', bytesOf('x'))).rejects.toMatchObject({
    code: 'STORAGE_FULL',
    retryable: true,
  });
  pair.first.mood = 'down';
  pair.second.mood = 'down';
  await expect(pair.store.put('a', bytesOf('x'))).rejects.toMatchObject(unavailable);
});

test('[OBJ45] more objects than can be kept track of are refused by the second store, never forgotten', async () => {
  await using pair = await openPair({ maxAway: 3 });
  pair.first.mood = 'full';
  for (const key of ['a', 'b', 'c']) await pair.store.put(key, bytesOf(key));
  await expect(pair.store.put('d', bytesOf('d'))).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  await pair.store.put('a', bytesOf('again'));
  // Another process had put one more there.
  await pair.second.put('e', bytesOf('e'));
  await pair.restart();
  expect(await keysOf(pair.store)).toEqual(['a', 'b', 'c', 'e']);
  expect(await contentOf(pair.store, 'e')).toBe('e');
  pair.first.mood = 'up';
  let moved = 0;
  while (moved < 4) moved += (await pair.store.bringHome()).moved;
  expect(await keysOf(pair.first)).toEqual(['a', 'b', 'c', 'e']);
});

test('[OBJ46] an object that is being read from the second store stays there until it is closed', async () => {
  await using pair = await openPair();
  pair.first.mood = 'full';
  await pair.store.put('a', bytesOf('text'));
  pair.first.mood = 'up';
  const source = await pair.store.open('a');
  expect(await pair.store.bringHome()).toEqual({ moved: 0, damaged: 0 });
  expect(await keysOf(pair.second)).toEqual(['a']);
  await source.close();
  await source.close();
  expect(await pair.store.bringHome()).toEqual({ moved: 1, damaged: 0 });
});

/** A first store in which what says `old` arrives only when it is let in. */
class SlowForOld extends MoodyObjectStore {
  readonly #goOn = Promise.withResolvers<void>();
  readonly #arrived = Promise.withResolvers<void>();
  /** Resolves when something old is before the door. */
  readonly arrived = this.#arrived.promise;

  letIn(): void {
    this.#goOn.resolve();
  }

  override async put(key: string, bytes: AsyncIterable<Uint8Array>, options?: PutOptions) {
    const text = (await buffer(bytes)).toString();
    if (text === 'old' && this.mood === 'up') {
      this.#arrived.resolve();
      await this.#goOn.promise;
    }
    return await super.put(key, bytesOf(text), options);
  }
}

/** Everything that can go on without the old object has gone on: nothing here takes longer than a turn. */
async function allElseIsDone(): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) await new Promise<void>((done) => setImmediate(done));
}

test.each(['before', 'after'])(
  '[OBJ46] an object whose replacement began %s it began to come home is the new one',
  async (when) => {
    const first = new SlowForOld();
    await using pair = await openPair({ first });
    first.mood = 'full';
    await pair.store.put('a', bytesOf('old'));
    first.mood = 'up';
    pair.now += 60_000;
    const hasBegun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const replace = () =>
      pair.store.put(
        'a',
        (async function* () {
          hasBegun.resolve();
          await goOn.promise;
          yield Buffer.from('new');
        })(),
      );
    const putting = when === 'before' ? replace() : null;
    if (putting !== null) await hasBegun.promise;
    const coming = pair.store.bringHome();
    if (putting === null) await first.arrived;
    const replacing = putting ?? replace();
    goOn.resolve();
    await allElseIsDone();
    first.letIn();
    await Promise.all([coming, replacing]);
    expect(await contentOf(pair.store, 'a')).toBe('new');
    await pair.restart();
    expect(await contentOf(pair.store, 'a')).toBe('new');
  },
);

test('[OBJ46] an object that is deleted while it comes home stays deleted', async () => {
  const first = new SlowForOld();
  await using pair = await openPair({ first });
  first.mood = 'full';
  await pair.store.put('a', bytesOf('old'));
  first.mood = 'up';
  const coming = pair.store.bringHome();
  await first.arrived;
  const deleting = pair.store.delete('a');
  await allElseIsDone();
  first.letIn();
  await Promise.all([coming, deleting]);
  expect(await pair.store.head('a')).toBeNull();
});

/** A second store such as S3, whose open objects end with their removal, which takes its time. */
class SlowToForget extends MoodyObjectStore {
  readonly #goOn = Promise.withResolvers<void>();
  readonly #asked = Promise.withResolvers<void>();
  readonly askedToForget = this.#asked.promise;

  forget(): void {
    this.#goOn.resolve();
  }

  override async delete(key: string) {
    this.#asked.resolve();
    await this.#goOn.promise;
    await super.delete(key);
  }

  override async open(key: string) {
    const source = await super.open(key);
    const read = async (start: number, endExclusive: number) => {
      if ((await this.head(key)) === null) throw new AppError('NOT_FOUND');
      return await source.read(start, endExclusive);
    };
    return { ...source, read };
  }
}

test('[OBJ46] an object that is opened while it leaves the second store is read from the first', async () => {
  const second = new SlowToForget();
  await using pair = await openPair({ second });
  pair.first.mood = 'full';
  await pair.store.put('a', bytesOf('text'));
  pair.first.mood = 'up';
  const coming = pair.store.bringHome();
  await second.askedToForget;
  const opening = pair.store.open('a');
  await allElseIsDone();
  second.forget();
  expect(await coming).toEqual({ moved: 1, damaged: 0 });
  await using source = await opening;
  expect((await source.read(0, 4)).toString()).toBe('text');
});

test('[OBJ46] one damaged object in the second store does not keep the others away', async () => {
  const second = new (class extends MoodyObjectStore {
    override async open(key: string) {
      if (key === 'b') throw new AppError('INTEGRITY');
      return await super.open(key);
    }
  })();
  await using pair = await openPair({ second });
  pair.first.mood = 'full';
  for (const key of ['a', 'b', 'c']) await pair.store.put(key, bytesOf(key));
  pair.first.mood = 'up';
  expect(await pair.store.bringHome()).toEqual({ moved: 2, damaged: 1 });
  expect(await keysOf(pair.second)).toEqual(['b']);
});

test('[OBJ46] a first store that fills up again stops the move, and loses nothing', async () => {
  await using pair = await openPair();
  pair.first.mood = 'full';
  for (const key of ['a', 'b']) await pair.store.put(key, bytesOf(key));
  await expect(pair.store.bringHome()).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  expect(await keysOf(pair.store)).toEqual(['a', 'b']);
});

test('[OBJ47] a put to a key whose other put stalls is not kept waiting by it, while the first store is well', async () => {
  await using pair = await openPair();
  const giveUp = new AbortController();
  const stalling = async function* () {
    yield Buffer.from('x');
    await new Promise(() => undefined);
  };
  const stalled = pair.store.put('a', stalling(), { signal: giveUp.signal });
  await eventually('it has begun', () => pair.first.asked > 0);
  await pair.store.put('a', bytesOf('text'));
  expect(await contentOf(pair.store, 'a')).toBe('text');
  giveUp.abort();
  await expect(stalled).rejects.toMatchObject({ code: 'ABORTED' });
});

/** What may be read of a key: what was acknowledged last, and what was tried after it without an answer. */
type Believed = Map<string, (string | null)[]>;

type Step =
  | { kind: 'put'; key: string }
  | { kind: 'delete'; key: string }
  | { kind: 'moods'; first: StoreMood; second: StoreMood }
  | { kind: 'home'; during: string }
  | { kind: 'restart' };

const KEYS = ['a', 'b'];
const anyMood = fc.constantFrom<StoreMood>('up', 'up', 'down', 'full', 'mute');
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('put' as const), key: fc.constantFrom(...KEYS) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), key: fc.constantFrom(...KEYS) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('moods' as const), first: anyMood, second: anyMood }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('home' as const), during: fc.constantFrom(...KEYS) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

async function take(pair: Pair, step: Step, believed: Believed, text: string) {
  const change = async (key: string, to: string | null) => {
    const act = () => (to === null ? pair.store.delete(key) : pair.store.put(key, bytesOf(to)));
    const isDone = await act().then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof AppError)) throw error;
        return false;
      },
    );
    believed.set(key, isDone ? [to] : [...(believed.get(key) ?? [null]), to]);
  };
  switch (step.kind) {
    case 'put':
      return await change(step.key, text);
    case 'delete':
      return await change(step.key, null);
    case 'moods':
      pair.first.mood = step.first;
      pair.second.mood = step.second;
      return;
    case 'home':
      // A put at the same time, which must not be overtaken by what comes home.
      return void (await Promise.all([
        pair.store.bringHome().catch(() => undefined),
        change(step.during, text),
      ]));
    case 'restart':
      pair.now += 60_000;
      return await pair.restart();
  }
}

test('[OBJ44] whatever fails, and however often the server starts anew, nothing is read but what was put last', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 5, maxLength: 40 }), async (steps) => {
      await using pair = await openPair();
      const believed: Believed = new Map();
      const check = async () => {
        for (const key of KEYS) {
          const may = believed.get(key) ?? [null];
          const read = await contentOf(pair.store, key).catch((error: unknown) => {
            if (error instanceof AppError && error.code === 'NOT_FOUND') return null;
            if (error instanceof AppError) return 'unavailable' as const;
            throw error;
          });
          if (read !== 'unavailable') expect(may).toContain(read);
        }
      };
      for (const [index, step] of steps.entries()) {
        await take(pair, step, believed, `text ${index}`);
        await check();
      }
      pair.first.mood = 'up';
      pair.second.mood = 'up';
      await pair.restart();
      await check();
      await pair.store.bringHome();
      await check();
      expect(await keysOf(pair.second)).toEqual([]);
      expect(await keysOf(pair.store)).toEqual(await keysOf(pair.first));
    }),
    { numRuns: 300 },
  );
});
