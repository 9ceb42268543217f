import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ffmpegPath } from './sounds.fixtures.ts';

const run = promisify(execFile);
const processing = fileURLToPath(new URL('process.fixture.ts', import.meta.url));

/** Every call that could put bytes or names on a disk. */
const WRITING =
  'trace=open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,truncate,mknod,mknodat';

/** Runs a program, and tells what it said and which files it, or a child of it, opened for writing or made. */
async function traced(args: readonly string[]): Promise<{ said: string; written: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'teleconsult-trace-'));
  const log = join(folder, 'calls');
  try {
    const { stdout } = await run('strace', [
      '-f',
      '-qq',
      '-s',
      '300',
      '-e',
      WRITING,
      '-o',
      log,
      execPath,
      ...args,
    ]);
    const written = (await readFile(log, 'utf8')).split('\n').filter(
      (call) =>
        /O_WRONLY|O_RDWR|O_CREAT|\b(?:creat|truncate|(?:mkdir|rename|link|mknod)\w*)\(/.test(call) &&
        // Devices and the kernel's own tables are no disk.
        !/"\/(?:dev\/(?:null|tty|urandom)|proc\/|sys\/)/.test(call),
    );
    return { said: stdout, written };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const unable = await run('strace', ['-qq', '-o', '/dev/null', 'true']).then(
  () => (ffmpegPath === null ? 'there is no ffmpeg here' : null),
  (error: unknown) => `strace cannot be used here: ${String(error)}`,
);

test('[M3] [ATT5] processing a picture, a voice message and a file writes nothing to any disk', async (context) => {
  if (unable !== null) return context.skip(unable);
  const { said, written } = await traced([processing, ffmpegPath ?? '']);
  expect(said.trim().split('\n')).toEqual([
    'image/jpeg',
    'audio/webm; codecs=opus',
    'text/plain; charset=utf-8',
  ]);
  expect(written).toEqual([]);
  return undefined;
}, 120_000);

test('[M3 sabotage] a program that keeps a copy is seen to write it', async (context) => {
  if (unable !== null) return context.skip(unable);
  const copying =
    "const fs = require('fs'); fs.writeFileSync(fs.mkdtempSync('/tmp/teleconsult-copy-') + '/plain', 'x')";
  const removing =
    "; fs.readdirSync('/tmp').filter((name) => name.startsWith('teleconsult-copy-')).forEach((name) => fs.rmSync('/tmp/' + name, { recursive: true }))";
  const { written } = await traced(['-e', copying + removing]);
  expect(written).toContainEqual(expect.stringContaining('/plain'));
  return undefined;
});
