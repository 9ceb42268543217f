import { mkdtemp, readdir, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { DiskObjectStore } from '../../server/storage/objects/disk.ts';
import { keysOf, objectStoreContract } from './object-store.suite.ts';

async function openStore() {
  const root = await mkdtemp(join(tmpdir(), 'teleconsult-objects-'));
  const store = await DiskObjectStore.open(join(root, 'objects'));
  const remove = () => rm(root, { recursive: true });
  return { root: join(root, 'objects'), store, [Symbol.asyncDispose]: remove };
}

objectStoreContract('disk', openStore);

const bytesOf = (text: string) => Readable.from([Buffer.from(text)]);

/** Files under a folder, by path from it. */
async function filesIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

test('[OBJ9] folders and files are their owner’s alone', async () => {
  await using opened = await openStore();
  await opened.store.put('cns_1/att_1', bytesOf('x'));
  const [file = ''] = await filesIn(opened.root);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(join(file, '..'))).mode & 0o777).toBe(0o700);
  expect((await stat(opened.root)).mode & 0o777).toBe(0o700);
});

test('[OBJ10] what a crash left incomplete is removed at the next start, and nothing else', async () => {
  await using opened = await openStore();
  await opened.store.put('cns_1/att_1', bytesOf('kept'));
  await writeFile(join(opened.root, 'incoming', 'leftover'), 'half of an object');
  const again = await DiskObjectStore.open(opened.root);
  expect(await readdir(join(opened.root, 'incoming'))).toEqual([]);
  expect(await again.head('cns_1/att_1')).toEqual({ byteSize: 4 });
});

test('[OBJ10] after a failed put no file is left', async () => {
  await using opened = await openStore();
  const failing = async function* () {
    yield Buffer.alloc(100_000);
    throw new Error('The sender is gone.');
  };
  await expect(opened.store.put('a', failing())).rejects.toThrow('The sender is gone.');
  expect(await filesIn(opened.root)).toEqual([]);
});

test('[OBJ11] an object that became shorter while it was open is a failure of integrity', async () => {
  await using opened = await openStore();
  await opened.store.put('a', bytesOf('0123456789'));
  await using source = await opened.store.open('a');
  const [file = ''] = await filesIn(opened.root);
  await truncate(file, 4);
  await expect(source.read(0, 10)).rejects.toMatchObject({ code: 'INTEGRITY' });
});

test('[OBJ11] a link in the place of an object is not followed', async () => {
  await using opened = await openStore();
  await opened.store.put('a', bytesOf('x'));
  const [file = ''] = await filesIn(opened.root);
  await rm(file);
  await symlink('/etc/passwd', file);
  await expect(opened.store.open('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

test('[OBJ11] a store whose folder is gone is unavailable, with a code to try again', async () => {
  const opened = await openStore();
  await opened[Symbol.asyncDispose]();
  await expect(opened.store.put('a', bytesOf('x'))).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    retryable: true,
  });
  await expect(keysOf(opened.store)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

test('[OBJ11] a folder that cannot be made is a store that cannot be opened', async () => {
  await using opened = await openStore();
  const file = join(opened.root, '..', 'a-file');
  await writeFile(file, '');
  await expect(DiskObjectStore.open(join(file, 'objects'))).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
  });
});
