import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { tempDir } from '../../helpers/temp-dir.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('append.fixture.ts', import.meta.url));

const cannotTrace = await run('strace', ['-qq', '-o', '/dev/null', 'true']).then(
  () => null,
  (error: unknown) => `strace cannot be used here: ${String(error)}`,
);

/** What the program said and when the log of the database was synced, in the order it happened. */
async function traced(way: 'one-by-one' | 'at-once' | 'careless', inject: readonly string[] = []) {
  await using dir = await tempDir();
  const log = join(dir.path, 'calls');
  const options = ['-f', '-y', '-qq', '-s', '100', '-e', 'trace=fsync,fdatasync,write', '-o', log];
  await run('strace', [...options, ...inject, execPath, program, dir.path, way], {
    env: { PATH: '/usr/bin:/bin' },
  });
  const steps: string[] = [];
  /** How many syncs of any file the thread that syncs the log had made when each sync of the log came. */
  const counts: number[] = [];
  const syncsOf = new Map<string, number>();
  for (const call of (await readFile(log, 'utf8')).split('\n')) {
    const said = /write\(\d+<[^>]*\/said>, "(.*?)\\n"/.exec(call)?.[1];
    if (said !== undefined) steps.push(said);
    // A call that another thread interrupts is told in two lines; its beginning names the file.
    const [, thread = '', file = ''] = /^(\d+) +(?:fsync|fdatasync)\(\d+<([^>]*)>/.exec(call) ?? [];
    if (file === '') continue;
    syncsOf.set(thread, (syncsOf.get(thread) ?? 0) + 1);
    if (!file.endsWith('-wal')) continue;
    steps.push('sync');
    if (steps.includes('begin')) counts.push(syncsOf.get(thread) ?? 0);
  }
  return { steps: steps.slice(steps.indexOf('begin') + 1, steps.indexOf('end')), counts };
}

/** The commits that were acknowledged without a sync since the acknowledgement before. */
function unsynced(steps: readonly string[]): string[] {
  return steps.filter((step, index) => step.startsWith('committed') && steps[index - 1] !== 'sync');
}

test('[D3] [STO18] every acknowledged commit was synced to the disk before', async (context) => {
  if (cannotTrace !== null) return context.skip(cannotTrace);
  const { steps } = await traced('one-by-one');
  expect(steps.filter((step) => step.startsWith('committed'))).toHaveLength(5);
  expect(unsynced(steps)).toEqual([]);
  return undefined;
});

test('[D3 sabotage] [STO18] a connection with synchronous=NORMAL is seen not to sync', async (context) => {
  if (cannotTrace !== null) return context.skip(cannotTrace);
  expect(unsynced((await traced('careless')).steps)).toHaveLength(5);
  return undefined;
});

test('[STO18] 300 commits at once share a few syncs', async (context) => {
  if (cannotTrace !== null) return context.skip(cannotTrace);
  const { steps } = await traced('at-once');
  expect(steps.filter((step) => step.startsWith('committed'))).toHaveLength(300);
  const syncs = steps.filter((step) => step === 'sync').length;
  expect(syncs).toBeGreaterThanOrEqual(1);
  expect(syncs).toBeLessThan(15);
  return undefined;
});

test('[D5] [STO20] after a sync has failed nothing is acknowledged and no sync is tried again', async (context) => {
  if (cannotTrace !== null) return context.skip(cannotTrace);
  const { steps: undisturbed, counts } = await traced('one-by-one');
  expect(undisturbed.filter((step) => step === 'sync')).toHaveLength(5);
  // strace counts the calls of each thread: the third commit's sync is this one of the writing thread.
  const inject = `inject=fsync,fdatasync:error=EIO:when=${counts[2]}`;
  const { steps } = await traced('one-by-one', ['-e', inject]);
  expect(steps).toEqual([
    'sync',
    'committed 2',
    'sync',
    'committed 3',
    'sync',
    ...[4, 5, 6].map((sequence) => `STORAGE_UNAVAILABLE ${sequence} dead`),
  ]);
  return undefined;
});
