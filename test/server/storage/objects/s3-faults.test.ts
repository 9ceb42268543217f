/** What an S3 store makes of lines that break, servers that are busy, and bytes that change on the way. */
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { S3ObjectStore } from '@teleconsult/server/storage/objects/s3';
import { openS3Client, S3_PATIENCE, type S3Patience } from '@teleconsult/server/storage/objects/s3-client';
import { beforeAll, describe, expect, test } from 'vitest';
import { contentOf, keysOf } from '../../../contract/object-store.suite.ts';
import { cephMissing, cephPlace } from '../../../helpers/ceph.ts';
import { type Fault, openFaultProxy, type SeenRequest } from '../../../helpers/ceph-faults.ts';
import { eventually } from '../../../helpers/eventually.ts';

const IMPATIENT: S3Patience = { connectMs: 800, answerMs: 1_000, idleMs: 800, attempts: 3 };

/** A store behind the proxy, and another one to the same objects beside it. */
async function openFaulty(patience: Partial<S3Patience> = {}) {
  await using parts = new AsyncDisposableStack();
  const place = await cephPlace();
  const proxy = parts.use(await openFaultProxy(place.endpoint ?? ''));
  const store = new S3ObjectStore({ ...place, endpoint: proxy.endpoint }, { patience, beginningBytes: 1024 });
  parts.defer(() => store.close());
  const sound = new S3ObjectStore(place);
  parts.defer(() => sound.close());
  const client = openS3Client(place, S3_PATIENCE);
  parts.defer(() => client.destroy());
  const list = new ListMultipartUploadsCommand({ Bucket: place.bucket, Prefix: place.prefix });
  const unfinished = async () => (await client.send(list)).Uploads?.length ?? 0;
  const owned = parts.move();
  return { proxy, store, sound, unfinished, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The first `times` requests that `which` says fail so. */
function failing(fault: Fault, which: (request: SeenRequest) => boolean, times = 1) {
  let left = times;
  return (request: SeenRequest) => {
    if (left === 0 || !which(request)) return null;
    left -= 1;
    return fault;
  };
}

const always = (fault: Fault) => () => fault;
const isPut = ({ method }: SeenRequest) => method === 'PUT';
const isGet = ({ method }: SeenRequest) => method === 'GET';
const isPart = ({ method, url }: SeenRequest) => method === 'PUT' && url.includes('partNumber=');
const isCompletion = ({ method, url }: SeenRequest) => method === 'POST' && url.includes('uploadId=');
const bytesOf = (text: string) => Readable.from([Buffer.from(text)]);
const unavailable = { code: 'STORAGE_UNAVAILABLE', retryable: true };

describe.skipIf(cephMissing !== null)(`on Ceph${cephMissing ? ` (${cephMissing})` : ''}`, () => {
  beforeAll(async () => {
    // Ceph makes what it needs with the first object, and takes seconds for it.
    await using faulty = await openFaulty();
    await faulty.sound.put('first', bytesOf('x'));
  });

  test.each<[string, Fault]>([
    ['503 SlowDown', { kind: 'answer', status: 503, code: 'SlowDown' }],
    ['500 InternalError', { kind: 'answer', status: 500, code: 'InternalError' }],
    ['a connection that breaks', { kind: 'cut' }],
    ['an answer that is lost', { kind: 'loseAnswer' }],
    ['an answer that never comes', { kind: 'silent' }],
  ])('[OBJ37] %s is asked again, and nobody notices', async (_name, fault) => {
    await using faulty = await openFaulty(IMPATIENT);
    const { proxy, store, sound } = faulty;
    proxy.choose = failing(fault, isPut, 2);
    await store.put('a', bytesOf('text'));
    expect(await contentOf(sound, 'a')).toBe('text');
    proxy.choose = failing(fault, isGet, 2);
    expect(await contentOf(store, 'a')).toBe('text');
    proxy.choose = failing(fault, isGet, 2);
    expect(await keysOf(store)).toEqual(['a']);
    proxy.choose = failing(fault, ({ method }) => method === 'DELETE', 2);
    await store.delete('a');
    expect(await sound.head('a')).toBeNull();
  });

  test.each<[string, Fault]>([
    ['a server that only says SlowDown', { kind: 'answer', status: 503, code: 'SlowDown' }],
    ['a server that answers nothing', { kind: 'silent' }],
    ['a line that always breaks', { kind: 'cut' }],
  ])('[OBJ37] %s is STORAGE_UNAVAILABLE within bounded time', async (_name, fault) => {
    await using faulty = await openFaulty(IMPATIENT);
    const { proxy, store } = faulty;
    proxy.choose = always(fault);
    const began = performance.now();
    const outcomes = await Promise.allSettled([
      store.put('a', bytesOf('x')),
      store.open('a'),
      store.head('a'),
      store.delete('a'),
      keysOf(store),
    ]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: unavailable });
    // Three attempts of a second and their pauses, of up to 0.5 s and 1 s when told to slow down.
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test('[OBJ37] a machine that is not there is STORAGE_UNAVAILABLE', async () => {
    await using faulty = await openFaulty(IMPATIENT);
    const { proxy, store } = faulty;
    await proxy[Symbol.asyncDispose]();
    await expect(store.put('a', bytesOf('x'))).rejects.toMatchObject(unavailable);
    await expect(store.open('a')).rejects.toMatchObject(unavailable);
  });

  test('[OBJ38] an answer that breaks off is gone on with where it broke off', async () => {
    await using faulty = await openFaulty(IMPATIENT);
    const { proxy, store, sound } = faulty;
    const bytes = randomBytes(1_000_000);
    await sound.put('a', Readable.from([bytes]));
    await using source = await store.open('a');
    proxy.seen.length = 0;
    // More often than a request is repeated: each time it comes further.
    proxy.choose = failing({ kind: 'truncateAnswer', afterBytes: 150_000 }, isGet, 6);
    const read = await source.read(10_000, 990_000);
    expect(read.equals(bytes.subarray(10_000, 990_000))).toBe(true);
    expect(proxy.seen.length).toBe(7);
  });

  test('[OBJ38] an answer that stalls is broken off, and one that brings nothing is given up', async () => {
    await using faulty = await openFaulty(IMPATIENT);
    const { proxy, store, sound } = faulty;
    const bytes = randomBytes(100_000);
    await sound.put('a', Readable.from([bytes]));
    await using source = await store.open('a');
    proxy.choose = failing({ kind: 'stallAnswer', afterBytes: 40_000 }, isGet);
    expect((await source.read(0, 100_000)).equals(bytes)).toBe(true);
    proxy.choose = always({ kind: 'truncateAnswer', afterBytes: 0 });
    await expect(source.read(0, 100_000)).rejects.toMatchObject(unavailable);
  });

  test('[OBJ38] a read that runs ends when its source is closed', async () => {
    await using faulty = await openFaulty();
    const { proxy, store, sound } = faulty;
    await sound.put('a', Readable.from([randomBytes(100_000)]));
    const source = await store.open('a');
    proxy.seen.length = 0;
    proxy.choose = always({ kind: 'stallAnswer', afterBytes: 10 });
    const reading = source.read(0, 100_000);
    await eventually('the range is asked for', () => proxy.seen.length === 1);
    await source.close();
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('[OBJ39] a byte that changed on its way in is noticed by the store, and sent again', async () => {
    await using faulty = await openFaulty();
    const { proxy, store, sound } = faulty;
    proxy.choose = failing({ kind: 'damageRequest' }, isPut);
    await store.put('small', bytesOf('what was said'));
    expect(await contentOf(sound, 'small')).toBe('what was said');
    const bytes = randomBytes(6_000_000);
    proxy.choose = failing({ kind: 'damageRequest' }, isPart);
    await store.put('large', Readable.from([bytes]));
    await using source = await sound.open('large');
    const stored = createHash('sha256')
      .update(await source.read(0, source.byteSize))
      .digest('hex');
    expect(stored).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  test('[OBJ39] bytes that change on their way in every time are not saved', async () => {
    await using faulty = await openFaulty();
    const { proxy, store, sound } = faulty;
    proxy.choose = (request) => (isPut(request) ? { kind: 'damageRequest' } : null);
    await expect(store.put('a', bytesOf('what was said'))).rejects.toMatchObject(unavailable);
    expect(await sound.head('a')).toBeNull();
  });

  test('[OBJ39] a byte of a small object that changed on its way out is noticed and asked for again', async () => {
    await using faulty = await openFaulty();
    const { proxy, store, sound } = faulty;
    await sound.put('a', bytesOf('what was said'));
    proxy.choose = failing({ kind: 'damageAnswer' }, isGet);
    expect(await contentOf(store, 'a')).toBe('what was said');
    proxy.choose = always({ kind: 'damageAnswer' });
    await expect(store.open('a')).rejects.toMatchObject({ code: 'INTEGRITY' });
  });

  test('[OBJ33] a long object whose store fails in the middle leaves no part, once the store is back', async () => {
    await using faulty = await openFaulty(IMPATIENT);
    const { proxy, store, sound, unfinished } = faulty;
    let isBroken = false;
    proxy.choose = (request) => {
      isBroken ||= isPart(request) && request.url.includes('partNumber=2');
      return isBroken ? { kind: 'cut' } : null;
    };
    const long = Readable.from(Array.from({ length: 14 }, () => Buffer.alloc(1_000_000)));
    await expect(store.put('a', long)).rejects.toMatchObject(unavailable);
    proxy.choose = () => null;
    // While it was down it could not be told to forget the parts; the next sweep tells it, however young they are.
    await eventually('the upload is forgotten', async () => {
      await store.sweepUnfinished({ now: Date.now() });
      return (await unfinished()) === 0;
    });
    expect(await sound.head('a')).toBeNull();
  });

  test('[OBJ31] a put reads no further than two parts ahead of what the store has taken', async () => {
    await using faulty = await openFaulty();
    const { proxy, store } = faulty;
    proxy.choose = (request) => (isPart(request) ? { kind: 'silent' } : null);
    const chunk = Buffer.alloc(100_000);
    let produced = 0;
    const endless = async function* () {
      for (;;) {
        produced += chunk.byteLength;
        yield chunk;
      }
    };
    const giveUp = new AbortController();
    const putting = store.put('a', endless(), { signal: giveUp.signal });
    await eventually('the first part is on its way', () => proxy.seen.some(isPart));
    for (let turn = 0; turn < 1_000; turn += 1) await new Promise<void>((done) => setImmediate(done));
    expect(produced).toBeGreaterThan(5_242_880);
    expect(produced).toBeLessThanOrEqual(2 * 5_242_880 + chunk.byteLength);
    giveUp.abort();
    await expect(putting).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('[OBJ40] a long object whose last answer is lost is there, and the put succeeds', async () => {
    await using faulty = await openFaulty();
    const { proxy, store, sound, unfinished } = faulty;
    proxy.choose = failing({ kind: 'loseAnswer' }, isCompletion);
    expect(await store.put('a', Readable.from([Buffer.alloc(6_000_000)]))).toEqual({ byteSize: 6_000_000 });
    // A server that no longer knows the upload says so, and has the object of its parts.
    let asked = 0;
    proxy.choose = (request) => {
      if (!isCompletion(request)) return null;
      asked += 1;
      return asked === 1 ? { kind: 'loseAnswer' } : { kind: 'answer', status: 404, code: 'NoSuchUpload' };
    };
    expect(await store.put('b', Readable.from([Buffer.alloc(6_000_000, 1)]))).toEqual({
      byteSize: 6_000_000,
    });
    expect(await sound.head('b')).toEqual({ byteSize: 6_000_000 });
    // And one that has another object of this name, even as long, does not pass for it.
    proxy.choose = (request) =>
      isCompletion(request) ? { kind: 'answer', status: 404, code: 'NoSuchUpload' } : null;
    await expect(store.put('b', Readable.from([Buffer.alloc(6_000_000, 2)]))).rejects.toMatchObject(
      unavailable,
    );
    proxy.choose = () => null;
    await store.sweepUnfinished({ now: Date.now() });
    expect(await unfinished()).toBe(0);
  });

  test.each([
    [403, 'QuotaExceeded'],
    [507, 'XMinioStorageFull'],
    [507, 'SomethingElse'],
  ])('[OBJ34] an answer %d %s is STORAGE_FULL', async (status, code) => {
    await using faulty = await openFaulty(IMPATIENT);
    faulty.proxy.choose = always({ kind: 'answer', status, code });
    await expect(faulty.store.put('a', bytesOf('x'))).rejects.toMatchObject({
      code: 'STORAGE_FULL',
      retryable: true,
    });
  });

  test.each([
    '<html><body>Please sign in to the network.</body></html>',
    '<?xml version="1.0"?><ListBucketResult></ListBucketResult>',
    '',
  ])('[OBJ36] a page that is no answer of S3 saves nothing and is no empty list: %j', async (text) => {
    await using faulty = await openFaulty(IMPATIENT);
    const { proxy, store } = faulty;
    proxy.choose = always({ kind: 'page', status: 200, text });
    await expect(keysOf(store)).rejects.toMatchObject(unavailable);
    await expect(store.head('a')).rejects.toMatchObject(unavailable);
    await expect(store.open('a')).rejects.toMatchObject(unavailable);
    await expect(store.put('a', bytesOf('x'))).rejects.toMatchObject(unavailable);
    await expect(store.put('a', Readable.from([Buffer.alloc(6_000_000)]))).rejects.toMatchObject(unavailable);
  });
});
