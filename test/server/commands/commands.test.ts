import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../../server/commands/run.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { operate } from '../backup/operate.ts';
import { openDataFolder, someConsultation } from '../vault/stored-vault.fixtures.ts';

const MAIN = fileURLToPath(new URL('../../../server/commands/main.ts', import.meta.url));

/** The command line as a process of its own, with nothing but these variables. */
async function asProcess(env: Record<string, string>, ...args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [said, complained] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, said, complained };
}

test('[CMD1] without a command, or with one that is not there, every command is listed with its purpose', async () => {
  await using dir = await tempDir();
  for (const args of [[], ['vault'], ['vault', 'melt']]) {
    const { code, said } = await operate(dir.path, ...args);
    expect(code).toBe(64);
    for (const { name, purpose } of COMMANDS) {
      expect(said).toContain(name);
      expect(said).toContain(purpose);
    }
  }
});

test.each([
  ['an option that is not there', ['vault', 'status', '--force', 'yes']],
  ['an option without a value', ['backup', '/tmp/x', '--keep']],
  ['a number that is none', ['backup', '/tmp/x', '--keep', '0']],
  ['no operand', ['vault', 'retire']],
  ['two operands', ['vault', 'retire', 'one', 'two']],
  ['one of two operands', ['restore', '/tmp/x']],
  ['an id that is none', ['vault', 'shred', 'everything']],
])('[CMD2] %s is refused before anything is done', async (_what, args) => {
  await using data = await openDataFolder();
  const before = await readFile(data.keyFile, 'utf8');
  expect(await operate(data.path, ...args)).toMatchObject({ code: 64 });
  expect(await readFile(data.keyFile, 'utf8')).toBe(before);
});

test('[CMD3] the command line works beside a server’s settings and needs none of its secrets', async () => {
  await using data = await openDataFolder();
  await data.addConsultation();
  const env = {
    NODE_ENV: 'production',
    TELECONSULT_DATA_DIR: data.path,
    TELECONSULT_TOKEN_ISSUER: 'hospital',
    TELECONSULT_PORT: '3000',
  };
  const status = await asProcess(env, 'vault', 'status');
  expect(status).toMatchObject({ code: 0, complained: '' });
  expect(status.said).toContain('wraps 1 of consultation');
  const rotated = await asProcess({}, 'vault', 'rotate', '--data', data.path);
  expect(rotated.code).toBe(0);
  const wrong = await asProcess({ ...env, TELECONSULT_OBJECT_STORE: 'tape' }, 'vault', 'status');
  expect(wrong).toMatchObject({ code: 1, said: expect.stringContaining('TELECONSULT_OBJECT_STORE') });
});

test('[CMD3] a folder that is no data folder is told so, and left as it is', async () => {
  await using dir = await tempDir();
  for (const args of [
    ['vault', 'status'],
    ['vault', 'verify'],
    ['vault', 'shred', someConsultation()],
    ['backup', join(dir.path, 'b')],
  ]) {
    const { code, said } = await operate(join(dir.path, 'not-there'), ...args);
    expect(code).toBe(1);
    expect(said).toMatch(/no database|no key file|is there such a folder/);
    expect(said).not.toMatch(/server runs/);
  }
});

test('[CMD4] a backup does not go into the data folder', async () => {
  await using data = await openDataFolder();
  for (const folder of [data.path, join(data.path, 'backups')])
    expect(await operate(data.path, 'backup', folder)).toMatchObject({ code: 64 });
});

test('[CMD5] no command says what is in the key file, or what anybody said', async () => {
  await using data = await openDataFolder();
  await using dir = await tempDir();
  const { id } = await data.addConsultation('CANARY-SAID');
  const said: string[] = [];
  for (const args of [
    ['vault', 'status'],
    ['vault', 'verify'],
    ['vault', 'rotate'],
    ['backup', join(dir.path, 'backups')],
    ['restore', join(dir.path, 'backups'), join(dir.path, 'restored')],
    ['vault', 'retire', data.keys.currentKeyId],
    ['vault', 'shred', id],
  ])
    said.push((await operate(data.path, ...args)).said);
  const { keys } = JSON.parse(await readFile(data.keyFile, 'utf8'));
  for (const { material } of keys) expect(said.join('\n')).not.toContain(material.slice(0, 12));
  expect(said.join('\n')).not.toContain('CANARY');
});
