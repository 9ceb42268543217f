import { readConfig } from '@teleconsult/server/config';
import { expect, test } from 'vitest';

/** Settings without their prefix. */
const placesOf = (settings: Record<string, string>) =>
  readConfig(
    Object.fromEntries(Object.entries(settings).map(([name, value]) => [`TELECONSULT_${name}`, value])),
  ).objectPlaces;

const onCeph = { OBJECT_STORE: 's3', S3_BUCKET: 'sealed', S3_ENDPOINT: 'https://ceph.hospital.example:7480' };

test('[OBJ50] without settings objects lie in the data folder, and there is no second store', () => {
  expect(placesOf({})).toEqual({ first: { kind: 'disk', dir: null }, second: null });
});

test('[OBJ50] a bucket of AWS needs its region, one elsewhere its endpoint', () => {
  const place = { pathStyle: false, checksums: 'crc32', prefix: '' };
  expect(placesOf({ OBJECT_STORE: 's3', S3_BUCKET: 'sealed', S3_REGION: 'cn-north-1' }).first).toEqual({
    kind: 's3',
    place: { ...place, bucket: 'sealed', endpoint: undefined, region: 'cn-north-1' },
  });
  expect(placesOf({ ...onCeph, S3_CHECKSUMS: 'off', S3_PREFIX: 'ward/3/' }).first).toEqual({
    kind: 's3',
    place: {
      bucket: 'sealed',
      endpoint: 'https://ceph.hospital.example:7480',
      region: 'us-east-1',
      pathStyle: true,
      checksums: 'off',
      prefix: 'ward/3/',
    },
  });
  expect(placesOf({ ...onCeph, S3_PATH_STYLE: 'false' }).first).toMatchObject({
    place: { pathStyle: false },
  });
});

test('[OBJ50] any two different places can stand in for each other', () => {
  expect(placesOf({ ...onCeph, OBJECT_STORE_SECOND: 'disk' }).second).toEqual({ kind: 'disk', dir: null });
  expect(placesOf({ OBJECT_STORE_SECOND: 'disk', SECOND_DIR: '/mnt/second' }).second).toEqual({
    kind: 'disk',
    dir: '/mnt/second',
  });
  const aws = { OBJECT_STORE_SECOND: 's3', SECOND_S3_BUCKET: 'second', SECOND_S3_REGION: 'cn-north-1' };
  expect(placesOf({ ...onCeph, ...aws }).second).toMatchObject({ kind: 's3', place: { bucket: 'second' } });
  expect(placesOf(aws)).toMatchObject({ first: { kind: 'disk' }, second: { kind: 's3' } });
});

test.each<[string, Record<string, string>, RegExp]>([
  ['an unknown kind of store', { OBJECT_STORE: 'azure' }, /TELECONSULT_OBJECT_STORE/],
  ['a store without a bucket', { OBJECT_STORE: 's3', S3_REGION: 'x' }, /TELECONSULT_S3_BUCKET is required/],
  [
    'a store without a region',
    { OBJECT_STORE: 's3', S3_BUCKET: 'sealed' },
    /S3_REGION is required.*S3_ENDPOINT/,
  ],
  [
    'a bucket that nobody uses',
    { S3_BUCKET: 'sealed' },
    /S3_BUCKET is set and not used: set TELECONSULT_OBJECT_STORE=s3/,
  ],
  ['a setting that does not exist', { ...onCeph, S3_BUCKT: 'x' }, /unknown setting TELECONSULT_S3_BUCKT/],
  [
    'a name that is no bucket',
    { ...onCeph, S3_BUCKET: 'Sealed.Objects' },
    /S3_BUCKET is no name of a bucket/,
  ],
  [
    'an endpoint with a path',
    { ...onCeph, S3_ENDPOINT: 'https://ceph.example/sealed' },
    /S3_ENDPOINT is no http/,
  ],
  [
    'an endpoint with a key',
    { ...onCeph, S3_ENDPOINT: 'https://me:key@ceph.example' },
    /S3_ENDPOINT is no http/,
  ],
  ['an endpoint without a scheme', { ...onCeph, S3_ENDPOINT: 'ceph.example' }, /S3_ENDPOINT is no http/],
  ['a prefix that is no folder', { ...onCeph, S3_PREFIX: 'ward' }, /S3_PREFIX is no folder/],
  ['a prefix that leads out', { ...onCeph, S3_PREFIX: '../' }, /S3_PREFIX is no folder/],
  ['an unknown checksum', { ...onCeph, S3_CHECKSUMS: 'md5' }, /S3_CHECKSUMS/],
  ['two stores on one disk', { OBJECT_STORE_SECOND: 'disk' }, /SECOND_DIR is required.*another disk/],
  ['a second folder that nobody uses', { SECOND_DIR: '/mnt' }, /SECOND_DIR is set and not used/],
  ['a second bucket that nobody uses', { SECOND_S3_BUCKET: 'x-y' }, /SECOND_S3_BUCKET is set and not used/],
  ['a second store without a bucket', { OBJECT_STORE_SECOND: 's3' }, /SECOND_S3_BUCKET is required/],
  [
    'one bucket as both stores',
    {
      ...onCeph,
      OBJECT_STORE_SECOND: 's3',
      SECOND_S3_BUCKET: 'sealed',
      SECOND_S3_ENDPOINT: onCeph.S3_ENDPOINT,
      SECOND_S3_PREFIX: 'second/',
    },
    /SECOND_S3_BUCKET is the bucket of the first store/,
  ],
  [
    'one bucket as both stores, its address written in two ways',
    {
      ...onCeph,
      OBJECT_STORE_SECOND: 's3',
      SECOND_S3_BUCKET: 'sealed',
      SECOND_S3_ENDPOINT: 'HTTPS://Ceph.Hospital.example:7480/',
    },
    /SECOND_S3_BUCKET is the bucket of the first store/,
  ],
  [
    'one bucket of AWS as both stores, once by the address of its region',
    {
      OBJECT_STORE: 's3',
      S3_BUCKET: 'sealed',
      S3_REGION: 'cn-north-1',
      OBJECT_STORE_SECOND: 's3',
      SECOND_S3_BUCKET: 'sealed',
      SECOND_S3_ENDPOINT: 'https://s3.cn-north-1.amazonaws.com.cn',
    },
    /SECOND_S3_BUCKET is the bucket of the first store/,
  ],
])('[OBJ50] %s is refused, with what to do', (_name, settings, message) => {
  expect(() => placesOf(settings)).toThrow(message);
});
