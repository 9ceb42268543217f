/** What every adapter of the object store keeps. `object-store.*.test.ts` run it on each of them. */
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { AppError } from '@teleconsult/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ObjectStore } from '../../server/storage/objects/object-store.ts';

export interface StoreUnderTest extends AsyncDisposable {
  readonly store: ObjectStore;
}

const refusal = (code: string) => expect.objectContaining({ name: 'AppError', code });
const bytesOf = (text: string) => Readable.from([Buffer.from(text)]);

const codeOf = (error: unknown) => (error instanceof AppError ? error.code : String(error));

export async function contentOf(store: ObjectStore, key: string): Promise<string> {
  await using source = await store.open(key);
  return (await source.read(0, source.byteSize)).toString();
}

export async function keysOf(store: ObjectStore, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of store.list(prefix)) keys.push(key);
  return keys.toSorted();
}

export function objectStoreContract(adapter: string, open: () => Promise<StoreUnderTest>): void {
  describe(`the object store: ${adapter}`, () => {
    test('[OBJ1] what was put can be read, and its size is known', async () => {
      await using under = await open();
      const bytes = randomBytes(1_000_003);
      const chunks = Readable.from([
        bytes.subarray(0, 10),
        bytes.subarray(10, 70_000),
        bytes.subarray(70_000),
      ]);
      expect(await under.store.put('cns_1/att_1/original', chunks)).toEqual({ byteSize: 1_000_003 });
      expect(await under.store.head('cns_1/att_1/original')).toEqual({ byteSize: 1_000_003 });
      await using source = await under.store.open('cns_1/att_1/original');
      expect(source.byteSize).toBe(1_000_003);
      expect((await source.read(0, source.byteSize)).equals(bytes)).toBe(true);
    });

    test('[OBJ1] an object may be empty', async () => {
      await using under = await open();
      expect(await under.store.put('a', Readable.from([]))).toEqual({ byteSize: 0 });
      expect(await contentOf(under.store, 'a')).toBe('');
    });

    test('[OBJ1] nothing of an object is seen before it is whole', async () => {
      await using under = await open();
      const { store } = under;
      const halfway = Promise.withResolvers<void>();
      const finish = Promise.withResolvers<void>();
      const putting = store.put(
        'cns_1/a',
        (async function* () {
          yield Buffer.from('first ');
          halfway.resolve();
          await finish.promise;
          yield Buffer.from('second');
        })(),
      );
      await halfway.promise;
      expect(await store.head('cns_1/a')).toBeNull();
      expect(await keysOf(store)).toEqual([]);
      finish.resolve();
      await putting;
      expect(await contentOf(store, 'cns_1/a')).toBe('first second');
    });

    test('[OBJ1] an error of the bytes is thrown unchanged and leaves nothing', async () => {
      await using under = await open();
      const failure = new AppError('TOO_LARGE');
      const failing = async function* () {
        yield Buffer.alloc(100_000);
        throw failure;
      };
      await expect(under.store.put('a', failing())).rejects.toBe(failure);
      expect(await under.store.head('a')).toBeNull();
      expect(await keysOf(under.store)).toEqual([]);
    });

    test('[OBJ1] a failed put leaves what was there before', async () => {
      await using under = await open();
      await under.store.put('a', bytesOf('before'));
      const failing = async function* () {
        yield Buffer.from('after');
        throw new Error('The sender is gone.');
      };
      await expect(under.store.put('a', failing())).rejects.toThrow('The sender is gone.');
      expect(await contentOf(under.store, 'a')).toBe('before');
    });

    test('[OBJ2] a second put replaces; who had it open keeps reading what it was', async () => {
      await using under = await open();
      await under.store.put('a', bytesOf('before'));
      await using source = await under.store.open('a');
      await under.store.put('a', bytesOf('after it'));
      expect((await source.read(0, source.byteSize)).toString()).toBe('before');
      expect(await contentOf(under.store, 'a')).toBe('after it');
    });

    test('[OBJ30] a large object that was opened is read as it was or is NOT_FOUND, never mixed with its successor', async () => {
      await using under = await open();
      await under.store.put('a', Readable.from([Buffer.alloc(200_000, 'b')]));
      await using source = await under.store.open('a');
      expect((await source.read(0, 10)).toString()).toBe('b'.repeat(10));
      await under.store.put('a', Readable.from([Buffer.alloc(200_000, 'n')]));
      const readOn = () => source.read(100_000, 150_000).then((bytes) => bytes.toString(), codeOf);
      expect(['b'.repeat(50_000), 'NOT_FOUND']).toContain(await readOn());
      await under.store.delete('a');
      expect(['b'.repeat(50_000), 'NOT_FOUND']).toContain(await readOn());
    });

    test('[OBJ31] an object of any length comes whole, and is seen only when it is', async () => {
      await using under = await open();
      const { store } = under;
      const seen: (boolean | undefined)[] = [];
      const pieces = Array.from({ length: 12 }, () => randomBytes(1_048_583));
      const bytes = async function* () {
        for (const piece of pieces) {
          yield piece;
          seen.push((await store.head('long')) !== null);
        }
      };
      expect(await store.put('long', bytes())).toEqual({ byteSize: 12 * 1_048_583 });
      expect(seen).toEqual(pieces.map(() => false));
      await using source = await store.open('long');
      const hash = createHash('sha256');
      for (let at = 0; at < source.byteSize; at += 3_000_000)
        hash.update(await source.read(at, Math.min(at + 3_000_000, source.byteSize)));
      expect(hash.digest('hex')).toBe(createHash('sha256').update(Buffer.concat(pieces)).digest('hex'));
    });

    test.each([5 * 1024 * 1024 - 1, 5 * 1024 * 1024, 5 * 1024 * 1024 + 1, 10 * 1024 * 1024])(
      '[OBJ31] an object of %d bytes comes whole',
      async (byteSize) => {
        await using under = await open();
        const bytes = randomBytes(byteSize);
        expect(await under.store.put('a', Readable.from([bytes]))).toEqual({ byteSize });
        await using source = await under.store.open('a');
        expect(source.byteSize).toBe(byteSize);
        expect((await source.read(0, byteSize)).equals(bytes)).toBe(true);
      },
    );

    test('[OBJ31] a long object whose bytes fail, or that is given up, leaves what was there before', async () => {
      await using under = await open();
      const { store } = under;
      await store.put('a', bytesOf('before'));
      const failure = new Error('The sender is gone.');
      const failing = async function* () {
        for (let sent = 0; sent < 7; sent += 1) yield Buffer.alloc(1_000_000);
        throw failure;
      };
      await expect(store.put('a', failing())).rejects.toBe(failure);
      const giveUp = new AbortController();
      const givenUp = async function* () {
        for (let sent = 0; sent < 7; sent += 1) yield Buffer.alloc(1_000_000);
        giveUp.abort();
        await new Promise(() => undefined);
      };
      await expect(store.put('a', givenUp(), { signal: giveUp.signal })).rejects.toEqual(refusal('ABORTED'));
      expect(await contentOf(store, 'a')).toBe('before');
    });

    test('[OBJ2] of many puts of one key at once one whole object stays', async () => {
      await using under = await open();
      const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(50_000));
      await Promise.all(texts.map((text) => under.store.put('a', bytesOf(text))));
      expect(texts).toContain(await contentOf(under.store, 'a'));
      expect(await keysOf(under.store)).toEqual(['a']);
    });

    test('[OBJ3] a put that is given up leaves nothing, even when its bytes have stalled', async () => {
      await using under = await open();
      const giveUp = new AbortController();
      const stalled = new Readable({ read: () => undefined });
      stalled.push(Buffer.alloc(1000));
      const putting = under.store.put('a', stalled, { signal: giveUp.signal });
      giveUp.abort();
      await expect(putting).rejects.toEqual(refusal('ABORTED'));
      await expect(under.store.put('a', bytesOf('x'), { signal: giveUp.signal })).rejects.toEqual(
        refusal('ABORTED'),
      );
      expect(await keysOf(under.store)).toEqual([]);
    });

    test('[OBJ3] a put whose source stalls between two of its bytes can be given up too', async () => {
      await using under = await open();
      const giveUp = new AbortController();
      const stalled = Promise.withResolvers<void>();
      const stalling = async function* () {
        yield Buffer.alloc(1000);
        stalled.resolve();
        await new Promise(() => undefined);
      };
      const putting = under.store.put('a', stalling(), { signal: giveUp.signal });
      await stalled.promise;
      giveUp.abort();
      await expect(putting).rejects.toEqual(refusal('ABORTED'));
      expect(await keysOf(under.store)).toEqual([]);
    });

    test('[OBJ4] any part of an object can be read, in any order and at once', async () => {
      await using under = await open();
      const bytes = randomBytes(50_000);
      await under.store.put('a', Readable.from([bytes]));
      await using source = await under.store.open('a');
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat(50_000), fc.nat(50_000)), { maxLength: 8 }),
          async (pairs) => {
            const ranges = pairs.map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const);
            const parts = await Promise.all(ranges.map(([start, end]) => source.read(start, end)));
            expect(parts.every((part, index) => part.equals(bytes.subarray(...(ranges[index] ?? []))))).toBe(
              true,
            );
          },
        ),
      );
    });

    test.each([
      [-1, 1],
      [0, 5],
      [3, 2],
      [Number.NaN, 1],
    ])('[OBJ4] a read from %d to %d of four bytes is a mistake', async (start, endExclusive) => {
      await using under = await open();
      await under.store.put('a', bytesOf('four'));
      await using source = await under.store.open('a');
      await expect(source.read(start, endExclusive)).rejects.toThrow(RangeError);
    });

    test('[OBJ4] a source may be closed twice', async () => {
      await using under = await open();
      await under.store.put('a', bytesOf('x'));
      const source = await under.store.open('a');
      await source.close();
      await source.close();
    });

    test('[OBJ5] what is not there is not found', async () => {
      await using under = await open();
      await expect(under.store.open('cns_1/att_1')).rejects.toEqual(refusal('NOT_FOUND'));
      expect(await under.store.head('cns_1/att_1')).toBeNull();
    });

    test('[OBJ5] what was deleted is gone, and deleting it again succeeds', async () => {
      await using under = await open();
      await under.store.put('a', bytesOf('x'));
      await under.store.delete('a');
      await under.store.delete('a');
      expect(await under.store.head('a')).toBeNull();
      expect(await keysOf(under.store)).toEqual([]);
    });

    test('[OBJ6] objects are listed by the beginning of their keys', async () => {
      await using under = await open();
      const keys = [
        'cns_1/att_1/original',
        'cns_1/att_1/thumbnail',
        'cns_1/att_2/original',
        'cns_10/att_1',
        'other',
      ];
      for (const key of keys) await under.store.put(key, bytesOf(key));
      expect(await keysOf(under.store)).toEqual(keys.toSorted());
      expect(await keysOf(under.store, 'cns_1/')).toEqual(keys.slice(0, 3));
      expect(await keysOf(under.store, 'cns_1')).toEqual(keys.slice(0, 4).toSorted());
      expect(await keysOf(under.store, 'cns_1/att_1/t')).toEqual(['cns_1/att_1/thumbnail']);
      expect(await keysOf(under.store, 'none')).toEqual([]);
    });

    test('[OBJ6] a key may be the beginning of another', async () => {
      await using under = await open();
      for (const key of ['a', 'a/b', 'a/b/c', 'A', 'a-b', 'a_b']) await under.store.put(key, bytesOf(key));
      for (const key of ['a', 'a/b', 'a/b/c', 'A', 'a-b', 'a_b'])
        expect(await contentOf(under.store, key)).toBe(key);
    });

    test.each([
      '',
      '/',
      '/a',
      'a/',
      'a//b',
      '.',
      '..',
      'a/../b',
      '../a',
      'a.b',
      'a b',
      'a\0b',
      'a\\b',
      'a%2f',
      'ä',
      'a\n',
      'x'.repeat(201),
    ])('[OBJ7] %j is no key', async (key) => {
      await using under = await open();
      const { store } = under;
      await expect(store.put(key, bytesOf('x'))).rejects.toThrow(TypeError);
      await expect(store.open(key)).rejects.toThrow(TypeError);
      await expect(store.head(key)).rejects.toThrow(TypeError);
      await expect(store.delete(key)).rejects.toThrow(TypeError);
      expect(await keysOf(store)).toEqual([]);
    });

    test('[OBJ7] any key of the alphabet up to 200 characters works', async () => {
      await using under = await open();
      const part = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/);
      const anyKey = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
      await fc.assert(
        fc.asyncProperty(anyKey, async (key) => {
          await under.store.put(key, bytesOf(key));
          expect(await contentOf(under.store, key)).toBe(key);
        }),
        { numRuns: 25 },
      );
    });

    test('[OBJ1] many objects at once stay apart', async () => {
      await using under = await open();
      const keys = Array.from({ length: 60 }, (_, index) => `cns_${index % 7}/att_${index}`);
      const digest = (text: string) => createHash('sha256').update(text).digest('hex').repeat(100);
      await Promise.all(keys.map((key) => under.store.put(key, bytesOf(digest(key)))));
      const read = await Promise.all(keys.map((key) => contentOf(under.store, key)));
      expect(read).toEqual(keys.map(digest));
    });
  });
}
