import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { DiskObjectStore } from '../../server/storage/objects/disk.ts';
import { keysOf } from './object-store.suite.ts';

const run = promisify(execFile);

/** A file system of 4 MB in memory, or why there can be none here. */
async function mountSmall(): Promise<({ path: string } & AsyncDisposable) | string> {
  if (userInfo().uid !== 0) return 'mounting a small file system needs root';
  const path = await mkdtemp(join(tmpdir(), 'teleconsult-full-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=0700', 'tmpfs', path]);
  } catch (error) {
    await rmdir(path);
    return `mounting is not allowed here: ${String(error)}`;
  }
  const unmount = async () => {
    await run('umount', [path]);
    await rmdir(path);
  };
  return { path, [Symbol.asyncDispose]: unmount };
}

test('[D4] [OBJ12] a full disk refuses with STORAGE_FULL, keeps no part, harms nothing, and heals by itself', async (context) => {
  const mounted = await mountSmall();
  if (typeof mounted === 'string') return context.skip(mounted);
  await using disk = mounted;
  const store = await DiskObjectStore.open(join(disk.path, 'objects'));
  const ballast = join(disk.path, 'ballast');
  await store.put('kept', Readable.from([Buffer.alloc(100_000, 'k')]));
  await writeFile(ballast, Buffer.alloc(3_000_000));

  const large = () => Readable.from([Buffer.alloc(500_000), Buffer.alloc(500_000), Buffer.alloc(500_000)]);
  await expect(store.put('large', large())).rejects.toMatchObject({ code: 'STORAGE_FULL', retryable: true });
  expect(await store.head('large')).toBeNull();
  expect(await readdir(join(disk.path, 'objects', 'incoming'))).toEqual([]);
  expect(await keysOf(store)).toEqual(['kept']);
  // What is small enough still goes, and what was there can be read.
  await store.put('small', Readable.from([Buffer.alloc(1000)]));
  await using source = await store.open('kept');
  expect((await source.read(0, source.byteSize)).equals(Buffer.alloc(100_000, 'k'))).toBe(true);

  await rm(ballast);
  expect(await store.put('large', large())).toEqual({ byteSize: 1_500_000 });
  return undefined;
});

test('[D4] [OBJ12] a disk that is full to the last inode refuses with STORAGE_FULL too', async (context) => {
  const mounted = await mountSmall();
  if (typeof mounted === 'string') return context.skip(mounted);
  await using disk = mounted;
  const store = await DiskObjectStore.open(join(disk.path, 'objects'));
  await run('mount', ['-o', 'remount,nr_inodes=300', disk.path]);
  const putMany = async () => {
    for (let index = 0; index < 200; index += 1)
      await store.put(`o_${index}`, Readable.from([Buffer.alloc(1)]));
  };
  await expect(putMany()).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  return undefined;
});
