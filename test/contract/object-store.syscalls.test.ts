import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const program = fileURLToPath(new URL('object-store.put.fixture.ts', import.meta.url));

/** Runs the program under strace, and tells what it said and which system calls it made. */
async function traced(injected: readonly string[] = [], ...how: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'teleconsult-strace-'));
  const log = join(folder, 'calls');
  try {
    const calls = ['-f', '-y', '-qq', '-e', 'trace=fsync,rename,unlink,unlinkat', '-o', log, ...injected];
    // strace counts calls thread by thread: with one thread, call 5 is the fifth.
    const env = { UV_THREADPOOL_SIZE: '1', PATH: '/usr/bin:/bin' };
    const { stdout } = await run('strace', [...calls, execPath, program, join(folder, 'objects'), ...how], {
      env,
    });
    const made = (await readFile(log, 'utf8')).replaceAll(folder, '').split('\n');
    return { said: stdout.trim().split('\n'), calls: made };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const cannotTrace = await run('strace', ['-qq', '-o', '/dev/null', 'true']).then(
  () => null,
  (error: unknown) => `strace cannot be used here: ${String(error)}`,
);

test('[OBJ13] an object is flushed before it gets its name, and its folder after', async (context) => {
  if (cannotTrace !== null) return context.skip(cannotTrace);
  const { said, calls } = await traced();
  expect(said).toEqual(['one saved there', 'two saved there', 'three saved there']);
  const steps = calls
    .map((call) => /(fsync|rename)\(.*?objects\/(incoming|[0-9a-f]{2}\b)/.exec(call))
    .flatMap((match) =>
      match === null ? [] : [`${match[1]} ${match[2] === 'incoming' ? 'incoming' : 'shard'}`],
    );
  const onePut = ['fsync incoming', 'rename incoming', 'fsync shard'];
  expect(steps).toEqual([...onePut, ...onePut, ...onePut]);
  return undefined;
});

/** The files that were flushed once more after a flush of theirs had failed: their pages may be gone already. */
function flushedAgain(calls: readonly string[]): string[] {
  const flushes = calls.flatMap((call) => {
    const [, path] = /fsync\(\d+<([^>]*incoming[^>]*)>/.exec(call) ?? [];
    return path === undefined ? [] : [{ path, hasFailed: call.includes('EIO') }];
  });
  return flushes
    .filter(({ path }, at) => flushes.slice(0, at).some((before) => before.path === path && before.hasFailed))
    .map(({ path }) => path);
}

/** The number of the flush of the second object's file, and of the folder it is in. */
async function flushesOfTheSecond(): Promise<{ file: number; folder: number; all: number }> {
  const { calls } = await traced();
  const flushes = calls.filter((call) => call.includes('fsync('));
  const first = flushes.findIndex((call) => call.includes('incoming')) + 1;
  return { file: first + 2, folder: first + 3, all: flushes.length };
}

const failing = (when: number) => ['-e', `inject=fsync:error=EIO:when=${when}`];

test('[D5] [OBJ13] after a failed flush the object is not saved, and the flush is not tried again', async (context) => {
  if (cannotTrace !== null) return context.skip(cannotTrace);
  const { file, all } = await flushesOfTheSecond();
  const { said, calls } = await traced(failing(file));
  expect(said).toEqual(['one saved there', 'two STORAGE_UNAVAILABLE absent', 'three saved there']);
  expect(flushedAgain(calls)).toEqual([]);
  expect(calls.filter((call) => call.includes('fsync('))).toHaveLength(all - 1);
  return undefined;
});

test('[D5] [OBJ13] a name that may not survive a power cut is not acknowledged', async (context) => {
  if (cannotTrace !== null) return context.skip(cannotTrace);
  const { folder } = await flushesOfTheSecond();
  const { said } = await traced(failing(folder));
  expect(said).toEqual(['one saved there', 'two STORAGE_UNAVAILABLE there', 'three saved there']);
  return undefined;
});

test('[D5 sabotage] [OBJ13] a store that flushes again after a failure is noticed', async (context) => {
  if (cannotTrace !== null) return context.skip(cannotTrace);
  const { file } = await flushesOfTheSecond();
  const { said, calls } = await traced(failing(file), 'stubborn');
  expect(said).toContain('two saved there');
  expect(flushedAgain(calls)).toHaveLength(1);
  return undefined;
});
