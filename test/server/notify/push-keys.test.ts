import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openPushKeys, pushSettings } from '@teleconsult/server/notify/push-keys';
import { expect, test } from 'vitest';
import { tempDir } from '../../helpers/temp-dir.ts';

const config = (DATA_DIR: string, more: object = {}) => ({
  DATA_DIR,
  PUSH_ORIGINS: [],
  production: false,
  ...more,
});
const fileIn = (folder: string): string => join(folder, 'keys', 'push-keys.json');

test('[PUSH14] keys are made at the first start, for their owner alone, and kept', async () => {
  await using dir = await tempDir();
  const first = await pushSettings(config(dir.path));
  expect(first?.contact).toMatch(/^mailto:/);
  expect(Buffer.from(first?.publicKey ?? '', 'base64url')).toHaveLength(65);
  expect((await stat(fileIn(dir.path))).mode & 0o777).toBe(0o600);
  expect(await pushSettings(config(dir.path))).toEqual(first);
  expect(await readdir(join(dir.path, 'keys'))).toEqual(['push-keys.json']);
});

test('[PUSH14] servers that start at once on one folder agree on the keys', async () => {
  await using dir = await tempDir();
  const keys = await Promise.all(Array.from({ length: 8 }, () => openPushKeys(fileIn(dir.path))));
  expect(new Set(keys.map(({ privateKey }) => privateKey)).size).toBe(1);
  expect(await readdir(join(dir.path, 'keys'))).toEqual(['push-keys.json']);
});

test('[PUSH14] a file that is damaged, or that others can read, is refused and stays as it is', async () => {
  await using dir = await tempDir();
  await pushSettings(config(dir.path));
  const path = fileIn(dir.path);
  const good = await readFile(path, 'utf8');
  for (const bad of [
    '',
    '{',
    '{}',
    good.slice(0, -20),
    good.replace(/"publicKey": ".{4}/, '"publicKey": "'),
  ]) {
    await writeFile(path, bad);
    const refusal = await pushSettings(config(dir.path)).catch((error: Error) => error.message);
    expect(refusal).toContain('damaged');
    expect(refusal).not.toContain(good.slice(20, 40));
    expect(await readFile(path, 'utf8')).toBe(bad);
  }
  await writeFile(path, good);
  await chmod(path, 0o644);
  await expect(pushSettings(config(dir.path))).rejects.toThrow('chmod 600');
});

test('[PUSH14] production without a contact pushes nothing and makes no keys', async () => {
  await using dir = await tempDir();
  expect(await pushSettings(config(dir.path, { production: true }))).toBeNull();
  expect(await readdir(dir.path)).toEqual([]);
  const contact = 'mailto:it@hospital.example';
  const settings = await pushSettings(
    config(dir.path, { production: true, PUSH_CONTACT: contact, PUSH_ORIGINS: ['https://a.example'] }),
  );
  expect(settings).toMatchObject({ contact, extraOrigins: ['https://a.example'] });
  await rm(dir.path, { recursive: true });
});
