import { mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { AppError } from '@teleconsult/protocol';
import { DiskObjectStore } from '@teleconsult/server/storage/objects/disk';
import type { ObjectPlaces } from '@teleconsult/server/storage/objects/object-store-settings';
import {
  type ObjectStoreNews,
  type ObjectStoreOptions,
  openObjectStore,
  waitAfter,
} from '@teleconsult/server/storage/objects/open-object-store';
import { S3ObjectStore } from '@teleconsult/server/storage/objects/s3';
import { describe, expect, test } from 'vitest';
import { contentOf, keysOf } from '../../../contract/object-store.suite.ts';
import { cephMissing, cephPlace } from '../../../helpers/ceph.ts';
import { openFaultProxy } from '../../../helpers/ceph-faults.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const bytesOf = (text: string) => Readable.from([Buffer.from(text)]);
const impatient = { connectMs: 800, answerMs: 1_000, idleMs: 800, attempts: 2 };

async function openIn(dataDir: string, places: ObjectPlaces, more: Partial<ObjectStoreOptions> = {}) {
  const news: ObjectStoreNews[] = [];
  const opened = await openObjectStore(places, {
    dataDir,
    clock: () => performance.now(),
    now: Date.now,
    report: (one) => news.push(one),
    s3: { patience: impatient },
    ...more,
  });
  return Object.assign(opened, { news });
}

const onDisk = { kind: 'disk', dir: null } as const;

test('[OBJ51] without settings the objects of the data folder are the store, as before', async () => {
  await using folder = await tempDir();
  await using opened = await openIn(folder.path, { first: onDisk, second: null });
  await opened.store.put('a', bytesOf('text'));
  expect(await contentOf(await DiskObjectStore.open(join(folder.path, 'objects')), 'a')).toBe('text');
  expect(opened.missing()).toEqual([]);
});

test('[OBJ45] a store that could not be reached is asked again soon, a full one later', () => {
  const times = { afterMs: 30, afterFailureMs: 300, afterUnavailableMs: 10 };
  expect(waitAfter(null, times)).toBe(30);
  expect(waitAfter(new AppError('STORAGE_UNAVAILABLE'), times)).toBe(10);
  expect(waitAfter(new AppError('STORAGE_FULL'), times)).toBe(300);
});

test('[OBJ51] a second store on another disk takes what the first disk has no room for', async () => {
  await using folder = await tempDir();
  const dir = join(folder.path, 'other-disk');
  const places: ObjectPlaces = { first: onDisk, second: { kind: 'disk', dir } };
  await using opened = await openIn(folder.path, places, {
    chores: { bringHome: { afterMs: 200, afterFailureMs: 200, afterUnavailableMs: 200 } },
  });
  // A file in the place of a folder: what is put there fails, as on a disk with an error.
  const objects = join(folder.path, 'objects', 'incoming');
  await rm(objects, { recursive: true });
  await writeFile(objects, '');
  for (const key of ['a', 'b', 'c']) await opened.store.put(key, bytesOf(key));
  expect(opened.awayCount()).toBe(3);
  expect(opened.missing()).toEqual([]);
  expect(await contentOf(opened.store, 'b')).toBe('b');
  await rm(objects);
  await mkdir(objects);
  await eventually('they have come home', () => opened.awayCount() === 0);
  expect(await keysOf(await DiskObjectStore.open(dir))).toEqual([]);
  expect(opened.news[0]).toEqual({ kind: 'storeLost', which: 'first' });
  expect(opened.news).toContainEqual({ kind: 'storeBack', which: 'first' });
  const broughtHome = () =>
    opened.news.reduce((sum, one) => sum + (one.kind === 'broughtHome' ? one.count : 0), 0);
  await eventually('it is told', () => broughtHome() === 3);
});

test('[OBJ50] one folder as both stores is refused, by whatever name, and keeps what is in it', async () => {
  await using folder = await tempDir();
  const objects = join(folder.path, 'objects');
  await (await DiskObjectStore.open(objects)).put('a', bytesOf('the only copy'));
  const link = join(folder.path, 'link');
  await symlink(objects, link);
  for (const dir of [objects, `${objects}/../objects/`, link]) {
    const opening = (async () => {
      await using _opened = await openIn(folder.path, { first: onDisk, second: { kind: 'disk', dir } });
      await new Promise((resolve) => setTimeout(resolve, 200));
    })();
    await expect.soft(opening).rejects.toThrow(/folder of the first store/);
    expect(await contentOf(await DiskObjectStore.open(objects), 'a')).toBe('the only copy');
  }
  const replays = join(folder.path, 'objects-replay');
  await expect(
    openIn(folder.path, { first: onDisk, second: { kind: 'disk', dir: replays } }),
  ).rejects.toThrow(/objects-replay/);
});

test('[OBJ51] a server whose bucket does not answer starts, says what is missing, and stops in time', async () => {
  await using folder = await tempDir();
  await using proxy = await openFaultProxy('http://127.0.0.1:1');
  proxy.choose = () => ({ kind: 'silent' });
  const place = {
    bucket: 'sealed',
    endpoint: proxy.endpoint,
    region: 'us-east-1',
    pathStyle: true,
    checksums: 'crc32' as const,
    prefix: '',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  };
  const slow = { s3: { patience: { ...impatient, answerMs: 600_000, idleMs: 600_000 } } };
  const opened = await openIn(folder.path, { first: { kind: 's3', place }, second: null }, slow);
  await eventually('it looks for what a crash left', () => proxy.seen.length > 0);
  const closing = performance.now();
  await opened.close();
  await opened.close();
  expect(performance.now() - closing).toBeLessThan(3_000);

  await using again = await openIn(folder.path, { first: { kind: 's3', place }, second: null });
  proxy.choose = () => ({ kind: 'cut' });
  for (let times = 0; times < 3; times += 1)
    await expect(again.store.head('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  expect(again.missing()).toEqual(['object store']);
  expect(again.news).toEqual([{ kind: 'storeLost', which: 'first' }]);
});

describe.skipIf(cephMissing !== null)(`on Ceph${cephMissing ? ` (${cephMissing})` : ''}`, () => {
  test('[OBJ52] an S3 that goes away and comes back loses nothing and keeps nobody waiting', async () => {
    await using folder = await tempDir();
    const place = await cephPlace();
    await using proxy = await openFaultProxy(place.endpoint ?? '');
    const faulty = { ...place, endpoint: proxy.endpoint };
    const direct = new S3ObjectStore(place);
    await using opened = await openIn(folder.path, { first: { kind: 's3', place: faulty }, second: onDisk });
    const { store } = opened;
    await direct.put('first', bytesOf('x'));
    await store.put('small', bytesOf('at home'));
    const long = (fill: number) => Array.from({ length: 8 }, () => Buffer.alloc(1_000_000, fill));
    await store.put('long', Readable.from(long(1)));

    // It goes away in the middle of a long object.
    let isAway = false;
    proxy.choose = ({ url }) => {
      isAway ||= url.includes('partNumber=2');
      return isAway ? { kind: 'silent' } : null;
    };
    await store.put('long', Readable.from(long(2)));
    await using reading = await store.open('long');
    expect((await reading.read(0, 8_000_000)).equals(Buffer.concat(long(2)))).toBe(true);
    for (const key of ['d', 'e', 'f']) await store.put(key, bytesOf(key));
    // By now it is known to be down: a put costs what the disk costs.
    const began = performance.now();
    for (let index = 0; index < 20; index += 1) await store.put(`quick_${index}`, bytesOf('x'));
    expect(performance.now() - began).toBeLessThan(1_000);
    await expect(contentOf(store, 'small')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await expect(store.delete('long')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(opened.missing()).toEqual([]);
    expect(opened.awayCount()).toBe(24);

    isAway = false;
    proxy.choose = () => null;
    await reading.close();
    await eventually('all have come home', () => opened.awayCount() === 0, { withinMs: 25_000 });
    expect(await contentOf(direct, 'f')).toBe('f');
    expect(await contentOf(store, 'small')).toBe('at home');
    await using moved = await direct.open('long');
    expect((await moved.read(0, 8_000_000)).equals(Buffer.concat(long(2)))).toBe(true);
    expect(await keysOf(await DiskObjectStore.open(join(folder.path, 'objects-second')))).toEqual([]);
    expect((await stat(join(folder.path, 'objects-second-is-empty'))).isFile()).toBe(true);
    await direct.close();
  });
});
