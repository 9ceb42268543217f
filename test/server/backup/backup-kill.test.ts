import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { openDataFolder } from '../vault/stored-vault.fixtures.ts';
import { operate } from './operate.ts';

const MAIN = fileURLToPath(new URL('../../../server/commands/main.ts', import.meta.url));

/** Begins a backup in a process of its own and kills it when `sign` says so. Answers whether it was still running. */
async function killedBackup(
  dataFolder: string,
  folder: string,
  sign: () => Promise<boolean>,
): Promise<boolean> {
  const child = spawn(process.execPath, [MAIN, 'backup', folder, '--data', dataFolder], { stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await eventually('the sign to kill', async () => child.exitCode !== null || (await sign()));
  child.kill('SIGKILL');
  return (await ended) === null;
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

test('[BKP7] a backup that is killed at any moment leaves what was there before restorable, and the next one works', async () => {
  await using data = await openDataFolder();
  await using dir = await tempDir();
  const folder = join(dir.path, 'backups');
  const { id, key } = await data.addConsultation();
  const addFiles = async (count: number) => {
    for (let index = 0; index < count; index += 1) {
      const object = `att_${randomBytes(6).toString('hex')}/original`;
      const context = { consultation: id, purpose: 'attachment', object };
      const sealed = data.vault.seal(Readable.from([randomBytes(20_000)]), { context, key });
      await data.objects.put(`attachments/${object}`, sealed);
    }
  };
  await addFiles(10);
  expect(await operate(data.path, 'backup', folder)).toMatchObject({ code: 0 });

  let killed = 0;
  const signs: (() => Promise<boolean>)[] = [
    async () => existsSync(join(data.path, 'backup-staging')),
    async () => (await namesIn(join(folder, 'archives'))).some((name) => name.endsWith('.partial')),
    async () => existsSync(join(folder, 'keys.db.new')),
    async () => {
      const shards = await namesIn(join(folder, 'objects'));
      const counts = await Promise.all(shards.map((shard) => namesIn(join(folder, 'objects', shard))));
      return counts.flat().length > 20;
    },
  ];
  for (const sign of signs) {
    await addFiles(15);
    if (await killedBackup(data.path, folder, sign)) killed += 1;
    const target = join(dir.path, 'restored');
    expect(await operate(data.path, 'restore', folder, target)).toMatchObject({ code: 0 });
    await rm(target, { recursive: true });
  }
  expect(killed).toBeGreaterThan(0);
  const { code, said } = await operate(data.path, 'backup', folder);
  expect(code).toBe(0);
  expect(said).toContain('70 objects');
  expect((await namesIn(join(folder, 'archives'))).every((name) => !name.includes('partial'))).toBe(true);
  expect(await namesIn(data.path)).not.toContain('backup-staging');
}, 60_000);
