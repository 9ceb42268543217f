import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const FIXTURE = fileURLToPath(new URL('server-process.fixture.mjs', import.meta.url));

/** Starts a server below a starting process, and sends that one a signal as soon as the server is ready. */
async function startAndSend(signal: NodeJS.Signals) {
  const starter = spawn(process.execPath, [FIXTURE, 'run'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(starter, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  starter.stdout.once('data', () => starter.kill(signal));
  // The server holds the pipe too, so its end is the end of both.
  const output = await text(starter.stdout);
  const [code] = await exited;
  return { code, output };
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s reaches the server once, and its exit code comes back',
  async (signal) => {
    expect(await startAndSend(signal)).toEqual({
      code: 7,
      output: `server is ready\nserver got ${signal}\n`,
    });
  },
);

test('a server shuts down when the npm that runs its starting process is ended', async () => {
  // npm starts a shell, the shell the script; the command after it keeps the shell from replacing itself.
  const shell = spawn('sh', ['-c', '"$0" "$1" run; :', process.execPath, FIXTURE], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, npm_lifecycle_event: 'start' },
  });
  shell.stdout.once('data', () => shell.kill('SIGTERM'));
  expect(await text(shell.stdout)).toBe('server is ready\nserver got SIGTERM\n');
});

test('a server whose starting process is killed shuts down in an orderly way', async () => {
  expect(await startAndSend('SIGKILL')).toEqual({
    code: null,
    output: 'server is ready\nserver got SIGTERM\n',
  });
});
