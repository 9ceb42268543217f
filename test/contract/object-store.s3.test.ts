import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import { S3ObjectStore } from '../../server/storage/objects/s3.ts';
import { openS3Client, S3_PATIENCE, type S3Place } from '../../server/storage/objects/s3-client.ts';
import { cephMissing, cephPlace } from '../helpers/ceph.ts';
import { contentOf, keysOf, objectStoreContract } from './object-store.suite.ts';

/** Opening an object brings 1 KB of it, so that the contract's reads are requests. */
async function openStore(change: Partial<S3Place> = {}, ofUser: Parameters<typeof cephPlace>[0] = {}) {
  const place = { ...(await cephPlace(ofUser)), ...change };
  const store = new S3ObjectStore(place, { beginningBytes: 1024 });
  return { store, place, [Symbol.asyncDispose]: () => store.close() };
}

/** The same place with nothing of ours between. */
function rawClient(place: S3Place) {
  const client = openS3Client(place, S3_PATIENCE);
  return { client, [Symbol.dispose]: () => client.destroy() };
}

async function unfinishedUploads(place: S3Place): Promise<string[]> {
  using raw = rawClient(place);
  const command = new ListMultipartUploadsCommand({ Bucket: place.bucket, Prefix: place.prefix });
  const { Uploads: uploads = [] } = await raw.client.send(command);
  return uploads.map(({ Key: key = '' }) => key);
}

const bytesOf = (text: string) => Readable.from([Buffer.from(text)]);
const largeBytes = () => Readable.from(Array.from({ length: 12 }, () => Buffer.alloc(1_000_000)));

describe.skipIf(cephMissing !== null)(`on Ceph${cephMissing ? ` (${cephMissing})` : ''}`, () => {
  beforeAll(async () => void (await cephPlace()));

  objectStoreContract('S3', openStore);

  describe('what only S3 has', () => {
    test.each(['crc32', 'sha256', 'off'] as const)(
      '[OBJ32] objects small and large are the same with checksums: %s',
      async (checksums) => {
        await using opened = await openStore({ checksums });
        const bytes = randomBytes(6_000_000);
        await opened.store.put('small', bytesOf('small'));
        await opened.store.put('large', Readable.from([bytes]));
        expect(await contentOf(opened.store, 'small')).toBe('small');
        await using source = await opened.store.open('large');
        expect((await source.read(0, source.byteSize)).equals(bytes)).toBe(true);
      },
    );

    test('[OBJ33] no part of a long object that failed or was given up stays in the bucket', async () => {
      await using opened = await openStore();
      const failing = async function* () {
        for (let sent = 0; sent < 12; sent += 1) yield Buffer.alloc(1_000_000);
        throw new Error('The sender is gone.');
      };
      await expect(opened.store.put('a', failing())).rejects.toThrow('The sender is gone.');
      expect(await unfinishedUploads(opened.place)).toEqual([]);
      const giveUp = new AbortController();
      const begun: string[][] = [];
      const givenUp = async function* () {
        for (let sent = 0; sent < 12; sent += 1) yield Buffer.alloc(1_000_000);
        begun.push(await unfinishedUploads(opened.place));
        giveUp.abort();
        await new Promise(() => undefined);
      };
      const putting = opened.store.put('a', givenUp(), { signal: giveUp.signal });
      await expect(putting).rejects.toMatchObject({ code: 'ABORTED' });
      expect(begun).toEqual([[`${opened.place.prefix}a`]]);
      expect(await unfinishedUploads(opened.place)).toEqual([]);
    });

    test('[OBJ33] what a crash left half uploaded is removed once it is stale, and what is under way is not', async () => {
      await using opened = await openStore();
      const { place, store } = opened;
      using raw = rawClient(place);
      const Key = `${place.prefix}a`;
      const begin = new CreateMultipartUploadCommand({ Bucket: place.bucket, Key });
      const { UploadId } = await raw.client.send(begin);
      const part = { Bucket: place.bucket, Key, UploadId, PartNumber: 1, Body: Buffer.alloc(10) };
      await raw.client.send(new UploadPartCommand(part));
      const now = Date.now();
      expect(await store.sweepUnfinished({ now: now + 3_600_000 })).toBe(0);
      expect(await unfinishedUploads(place)).toEqual([Key]);
      expect(await store.sweepUnfinished({ now: now + 25 * 3_600_000 })).toBe(1);
      expect(await unfinishedUploads(place)).toEqual([]);
    });

    test('[OBJ33] the parts of other folders of the bucket are not touched', async () => {
      await using mine = await openStore();
      await using other = await openStore();
      using raw = rawClient(other.place);
      const place = { Bucket: other.place.bucket, Key: `${other.place.prefix}a` };
      await raw.client.send(new CreateMultipartUploadCommand(place));
      expect(await mine.store.sweepUnfinished({ now: Date.now() + 1e9 })).toBe(0);
      expect(await unfinishedUploads(other.place)).toHaveLength(1);
      expect(await other.store.sweepUnfinished({ now: Date.now() + 1e9 })).toBe(1);
    });

    test('[OBJ34] a bucket whose quota is used up is STORAGE_FULL, keeps nothing, and heals by itself', async () => {
      await using opened = await openStore({}, { user: 'small' });
      const { store, place } = opened;
      const half = () => Readable.from([Buffer.alloc(700_000)]);
      await store.put('first', half());
      await expect(store.put('second', half())).rejects.toMatchObject({
        code: 'STORAGE_FULL',
        retryable: true,
      });
      await expect(store.put('third', largeBytes())).rejects.toMatchObject({ code: 'STORAGE_FULL' });
      expect(await keysOf(store)).toEqual(['first']);
      expect(await unfinishedUploads(place)).toEqual([]);
      await store.delete('first');
      expect(await store.put('second', half())).toEqual({ byteSize: 700_000 });
      await store.delete('second');
    });

    test('[OBJ35] a bucket that is not there is a store that is unavailable, never a missing object', async () => {
      await using opened = await openStore({ bucket: 'nobody-made-this' });
      const { store } = opened;
      const unavailable = { code: 'STORAGE_UNAVAILABLE', retryable: true };
      await expect(store.head('a')).rejects.toMatchObject(unavailable);
      await expect(store.open('a')).rejects.toMatchObject(unavailable);
      await expect(store.delete('a')).rejects.toMatchObject(unavailable);
      await expect(store.put('a', bytesOf('x'))).rejects.toMatchObject(unavailable);
      await expect(keysOf(store)).rejects.toMatchObject(unavailable);
    });

    test('[OBJ35] refused credentials are a store that is unavailable', async () => {
      await using opened = await openStore({
        credentials: { accessKeyId: 'tele', secretAccessKey: 'wrong' },
      });
      await expect(opened.store.head('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      await expect(opened.store.put('a', bytesOf('x'))).rejects.toMatchObject({
        code: 'STORAGE_UNAVAILABLE',
      });
    });

    test('[OBJ36] more objects than a page of a list holds are all listed, and what is not ours is not', async () => {
      await using opened = await openStore();
      const { store, place } = opened;
      const keys = Array.from({ length: 1_005 }, (_, index) => `many/o_${String(index).padStart(4, '0')}`);
      for (let at = 0; at < keys.length; at += 40)
        await Promise.all(keys.slice(at, at + 40).map((key) => store.put(key, bytesOf('x'))));
      using raw = rawClient(place);
      const foreign = { Bucket: place.bucket, Key: `${place.prefix}many/notes.txt`, Body: 'x' };
      await raw.client.send(new PutObjectCommand(foreign));
      expect(await keysOf(store, 'many/')).toEqual(keys);
    });
  });
});
