import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { expect, test } from 'vitest';
import { createGate } from '../../../server/attachments/gate.ts';
import {
  type ChildLimits,
  findPrlimit,
  findProgram,
  type LimitedChildOptions,
  runLimitedChild,
} from '../../../server/attachments/limited-child.ts';

const prlimitPath = await findPrlimit();
const limits: ChildLimits = {
  wallClockMs: 20_000,
  cpuSeconds: 20,
  memoryBytes: 1024 * 1024 * 1024,
  outputBytes: 1_000_000,
};

const runScript = (script: string, change: Partial<LimitedChildOptions> = {}) =>
  runLimitedChild({
    command: execPath,
    args: ['-e', script],
    input: Buffer.from('what goes in'),
    limits,
    prlimitPath,
    ...change,
  });

const needsPrlimit = prlimitPath === null ? 'there is no prlimit here' : null;

test('[CHD1] a child gets its input and gives its output', async () => {
  const outcome = await runScript('process.stdin.pipe(process.stdout)');
  expect(outcome).toMatchObject({ ended: 'exited', code: 0, output: Buffer.from('what goes in') });
});

test('[CHD1] a child sees nothing of the server’s environment', async () => {
  const outcome = await runScript('console.log(JSON.stringify(process.env), process.cwd())');
  expect(outcome).toMatchObject({
    output: Buffer.from('{"MALLOC_ARENA_MAX":"1","UV_THREADPOOL_SIZE":"1","LC_ALL":"C"} /\n'),
  });
});

test('[CHD2] a child that does not end is killed when its time is over', async () => {
  const started = performance.now();
  const outcome = await runScript('setInterval(() => {}, 1000)', { limits: { ...limits, wallClockMs: 300 } });
  expect(outcome).toEqual({ ended: 'out of time' });
  expect(performance.now() - started).toBeLessThan(10_000);
});

test('[CHD2] a child that writes without end is killed', async () => {
  const outcome = await runScript('setInterval(() => process.stdout.write("x".repeat(100000)))');
  expect(outcome).toEqual({ ended: 'too much output' });
});

test('[CHD2] a child is killed when the server closes, before or after it started', async () => {
  const closing = new AbortController();
  const running = runScript('setInterval(() => {}, 1000)', { signal: closing.signal });
  closing.abort();
  expect(await running).toEqual({ ended: 'given up' });
  expect(await runScript('', { signal: closing.signal })).toEqual({ ended: 'given up' });
});

test('[CHD2] a child that reads nothing and leaves harms nobody', async () => {
  const outcome = await runScript('process.exit(3)', { input: Buffer.alloc(10_000_000) });
  expect(outcome).toMatchObject({ ended: 'exited', code: 3 });
});

test('[CHD3] a child that computes without end is killed when its processor time is over', async (context) => {
  if (needsPrlimit !== null) return context.skip(needsPrlimit);
  const outcome = await runScript('for (;;);', { limits: { ...limits, cpuSeconds: 1 } });
  expect(outcome).toMatchObject({ ended: 'killed' });
  return undefined;
});

test('[CHD3] a child cannot take more memory than it is given', async (context) => {
  if (needsPrlimit !== null) return context.skip(needsPrlimit);
  const outcome = await runScript(
    'const held = []; for (;;) held.push(Buffer.alloc(50000000, 1)), console.log(held.length)',
  );
  if (outcome.ended !== 'exited' && outcome.ended !== 'killed') throw new Error(`It ended ${outcome.ended}.`);
  expect(outcome.output.toString().trim().split('\n').length).toBeLessThan(1024 / 50);
  return undefined;
});

test('[M3] [CHD3] a child can write nothing to any disk, and leaves no core', async (context) => {
  if (needsPrlimit !== null) return context.skip(needsPrlimit);
  const folder = await mkdtemp(join(tmpdir(), 'teleconsult-child-'));
  try {
    const file = JSON.stringify(join(folder, 'plain'));
    const outcome = await runScript(
      `try { require('fs').writeFileSync(${file}, 'secret') } catch (e) { console.log(e.code) } process.abort()`,
    );
    expect(outcome).toMatchObject({ ended: 'killed', output: Buffer.from('EFBIG\n') });
    // The name may be there; there is nothing in it.
    expect((await readdir(folder)).filter((name) => name !== 'plain')).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
  return undefined;
});

test.each([prlimitPath, null])(
  '[CHD4] a program that is not there has not started (prlimit: %s)',
  async (path) => {
    const outcome = await runScript('', { command: '/nonexistent/program', prlimitPath: path });
    expect(outcome).toMatchObject({ ended: 'not started' });
    const notRunnable = await runScript('', { command: '/etc/passwd', prlimitPath: path });
    expect(notRunnable).toMatchObject({ ended: 'not started' });
  },
);

test('[CHD4] a program is found by its path, or by its name where programs usually are', async () => {
  expect(await findProgram(execPath)).toBe(execPath);
  expect(await findProgram('cat')).toMatch(/^\/.*\/cat$/);
  expect(await findProgram('no-such-program')).toBeNull();
  expect(await findProgram('./cat')).toBeNull();
  expect(await runScript('', { command: 'cat', args: [] })).toMatchObject({
    output: Buffer.from('what goes in'),
  });
});

test('[CHD5] a gate lets so many through at once, in the order they came, whatever becomes of them', async () => {
  const gate = createGate(2);
  const begun: number[] = [];
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const tasks = ends.map((end, index) =>
    gate.run(async () => {
      begun.push(index);
      await end.promise;
      if (index === 0) throw new Error('The first fails.');
      return index;
    }),
  );
  const outcomes = Promise.allSettled(tasks);
  await expect.poll(() => begun).toEqual([0, 1]);
  ends[1]?.resolve();
  await expect.poll(() => begun).toEqual([0, 1, 2]);
  ends[0]?.resolve();
  await expect.poll(() => begun).toEqual([0, 1, 2, 3]);
  for (const end of ends) end.resolve();
  expect((await outcomes).map((outcome) => outcome.status)).toEqual([
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ]);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  expect(await gate.run(async () => 'open again')).toBe('open again');
});
