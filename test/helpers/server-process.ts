import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';
import { TEST_IDENTITY, TEST_KEY } from './test-tokens.ts';

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url));

export interface ServerProcess extends AsyncDisposable {
  readonly origin: string;
  readonly pid: number;
  readonly child: ChildProcess;
  readonly output: () => string;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
}

/** A port that was free a moment ago, so that a restarted server can be reached where it was. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** server/main.ts as a process of its own, with the tests' token key. */
export async function startServerProcess(options: {
  dataDir: string;
  port: number;
  env?: Record<string, string>;
}): Promise<ServerProcess> {
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      ...(process.env['FFMPEG_PATH'] && { FFMPEG_PATH: process.env['FFMPEG_PATH'] }),
      ...(process.env['MEDIASOUP_WORKER_BIN'] && {
        MEDIASOUP_WORKER_BIN: process.env['MEDIASOUP_WORKER_BIN'],
      }),
      TELECONSULT_DATA_DIR: options.dataDir,
      TELECONSULT_PORT: String(options.port),
      TELECONSULT_MEDIA: 'fake',
      TELECONSULT_WEB_DIR: '',
      TELECONSULT_TOKEN_ISSUER: TEST_IDENTITY.issuer,
      TELECONSULT_TOKEN_AUDIENCE: TEST_IDENTITY.audience,
      TELECONSULT_TOKEN_KEYS: JSON.stringify([TEST_KEY]),
      TELECONSULT_REQUESTS_PER_SECOND: '100000',
      TELECONSULT_ADMISSIONS_PER_SECOND: '100000',
      ...options.env,
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-100_000);
    });
  const exited = once(child, 'exit');
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await exited;
  };
  try {
    const ended = exited.then((): never => {
      throw new Error(`the server ended: ${output}`);
    });
    const listening = eventually('the server to listen', () => /listens on (\S+)/.exec(output)?.[1], {
      withinMs: 20_000,
      lastSeen: () => output,
    });
    // Whichever loses the race has nobody left to tell.
    ended.catch(() => undefined);
    listening.catch(() => undefined);
    const origin = await Promise.race([listening, ended]);
    return {
      origin,
      pid: child.pid ?? 0,
      child,
      output: () => output,
      kill,
      [Symbol.asyncDispose]: kill,
    };
  } catch (error) {
    await kill();
    throw error;
  }
}
