import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLocalKeyFile } from '../../../server/vault/local-key-file.ts';
import { Vault } from '../../../server/vault/vault.ts';
import { consultation, openFolder, openOne, sealOne } from './vault.fixtures.ts';

const refusal = (reason: string) => expect.objectContaining({ name: 'VaultError', reason });

const oneKey = (id: string) => ({
  id,
  created: '2026-11-22T00:00:00.000Z',
  material: Buffer.alloc(32, id).toString('base64'),
});
const first = oneKey('key_0000000000000001');
const second = oneKey('key_0000000000000002');

async function withKeyFile(content: unknown, mode = 0o600) {
  const folder = await openFolder();
  const path = join(folder.path, 'vault.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content), { mode });
  await chmod(path, mode);
  const open = () => openLocalKeyFile({ path, mayCreate: false, now: 0 });
  return { path, open, folder: folder.path, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

test('[VLT1] the first start makes a key file that only its owner can read, in a folder of its own', async () => {
  await using folder = await openFolder();
  const path = join(folder.path, 'a', 'b', 'vault.json');
  const keys = await openLocalKeyFile({ path, mayCreate: true, now: Date.UTC(2026, 10, 22) });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder.path, 'a', 'b'))).mode & 0o777).toBe(0o700);
  const file = JSON.parse(await readFile(path, 'utf8'));
  expect(file).toEqual({
    keys: [{ id: keys.currentKeyId, created: '2026-11-22T00:00:00.000Z', material: expect.any(String) }],
    current: keys.currentKeyId,
  });
  expect(Buffer.from(file.keys[0].material, 'base64')).toHaveLength(32);
  expect(await readdir(join(folder.path, 'a', 'b'))).toEqual(['vault.json']);
});

test('[VLT1] the second start reads the same key', async () => {
  await using folder = await openFolder();
  const path = join(folder.path, 'vault.json');
  const created = await openLocalKeyFile({ path, mayCreate: true, now: 0 });
  const { wrapped } = await new Vault(created).createConsultationKey(consultation('A'));
  const again = await openLocalKeyFile({ path, mayCreate: false, now: 0 });
  expect(again.currentKeyId).toBe(created.currentKeyId);
  await new Vault(again).openConsultationKey(consultation('A'), wrapped);
});

test('[VLT1] servers that start at once on an empty folder agree on one key', async () => {
  await using folder = await openFolder();
  const path = join(folder.path, 'keys', 'vault.json');
  const starts = Array.from({ length: 8 }, () => openLocalKeyFile({ path, mayCreate: true, now: 0 }));
  const ids = new Set((await Promise.all(starts)).map((keys) => keys.currentKeyId));
  expect(ids.size).toBe(1);
  expect(await readdir(join(folder.path, 'keys'))).toEqual(['vault.json']);
});

test('[E8] [VLT2] no key, no start: a missing key file is not replaced when sealed data exists', async () => {
  await using folder = await openFolder();
  const path = join(folder.path, 'vault.json');
  await expect(openLocalKeyFile({ path, mayCreate: false, now: 0 })).rejects.toEqual(
    refusal('KEY_FILE_MISSING'),
  );
  expect(await readdir(folder.path)).toEqual([]);
});

test.each([0o640, 0o604, 0o660, 0o601, 0o620])(
  '[E8] [VLT2] no start with a key file of mode %o, which others can use',
  async (mode) => {
    await using file = await withKeyFile({ keys: [first], current: first.id }, mode);
    await expect(file.open()).rejects.toEqual(refusal('KEY_FILE_EXPOSED'));
  },
);

test('[E8] [VLT2] no start when others could replace the key file', async () => {
  await using file = await withKeyFile({ keys: [first], current: first.id });
  await chmod(file.folder, 0o770);
  await expect(file.open()).rejects.toEqual(refusal('KEY_FILE_EXPOSED'));
  await chmod(file.folder, 0o700);
  await file.open();
});

test.each([
  ['empty', ''],
  ['no JSON', '{"keys":['],
  ['without keys', { keys: [], current: first.id }],
  ['without a current key', { keys: [first] }],
  ['with a current key that it does not hold', { keys: [first], current: second.id }],
  [
    'with a short key',
    { keys: [{ ...first, material: Buffer.alloc(16).toString('base64') }], current: first.id },
  ],
  ['with a key that is no base64', { keys: [{ ...first, material: '!'.repeat(44) }], current: first.id }],
  ['with one id twice', { keys: [first, { ...second, id: first.id }], current: first.id }],
  ['with an unknown field', { keys: [first], current: first.id, note: 'x' }],
])('[E8] [VLT2] no start with a key file that is %s', async (_, content) => {
  await using file = await withKeyFile(content);
  const failure = await file.open().catch((error: unknown) => error);
  expect(failure).toEqual(refusal('KEY_FILE_MALFORMED'));
  // Neither the message nor a cause may quote the file.
  expect(`${String(failure)} ${String((failure as Error).cause)}`).not.toContain(first.material.slice(0, 12));
});

test('[E8] [VLT2] no start when the key file is no file', async () => {
  await using folder = await openFolder();
  const path = join(folder.path, 'vault.json');
  await mkdir(path, { mode: 0o700 });
  await expect(openLocalKeyFile({ path, mayCreate: true, now: 0 })).rejects.toEqual(
    refusal('KEY_FILE_UNAVAILABLE'),
  );
});

test('[VLT8] after a rotation new keys are wrapped under the current one, and old ones still open', async () => {
  await using before = await withKeyFile({ keys: [first], current: first.id });
  await using after = await withKeyFile({ keys: [first, second], current: second.id });
  await using dropped = await withKeyFile({ keys: [second], current: second.id });
  const old = new Vault(await before.open());
  const rotated = new Vault(await after.open());
  const newest = new Vault(await dropped.open());

  const oldObject = await sealOne(old, Buffer.from('old'));
  const newObject = await sealOne(rotated, Buffer.from('new'));
  expect((await openOne(rotated, oldObject)).toString()).toBe('old');
  expect((await openOne(rotated, newObject)).toString()).toBe('new');
  expect((await openOne(newest, newObject)).toString()).toBe('new');
  await expect(openOne(newest, oldObject)).rejects.toMatchObject({ code: 'INTEGRITY' });
  await expect(openOne(old, newObject)).rejects.toMatchObject({ code: 'INTEGRITY' });

  const { wrapped } = await old.createConsultationKey(consultation('A'));
  await rotated.openConsultationKey(consultation('A'), wrapped);
  await expect(newest.openConsultationKey(consultation('A'), wrapped)).rejects.toMatchObject({
    code: 'INTEGRITY',
  });
});
