/** The real coturn with the shipped configuration, on loopback. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '../../helpers/temp-dir.ts';
import { StunSocket } from './stun-socket.ts';

const SHIPPED = new URL('../../../docker/coturn/turnserver.conf', import.meta.url);
const PROGRAM = ['/usr/bin/turnserver', '/usr/local/bin/turnserver', '/opt/homebrew/bin/turnserver'].find(
  (path) => existsSync(path),
);

/** Why the tests with coturn do not run; null when they do. */
export const coturnMissing =
  PROGRAM === undefined ? 'coturn is not installed (Debian: apt install coturn)' : null;

export interface Coturn extends AsyncDisposable {
  readonly port: number;
  readonly output: () => string;
}

export interface CoturnOptions {
  readonly secret: string;
  /** Lines after the shipped ones. */
  readonly more?: readonly string[];
  /** Changes the shipped lines, to show that a line matters. */
  readonly change?: (shipped: string) => string;
}

export const shippedConfiguration = (): Promise<string> => readFile(SHIPPED, 'utf8');

/** Only where it listens, its secret and its relay addresses are other than shipped. */
export async function startCoturn({ secret, more = [], change }: CoturnOptions): Promise<Coturn> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await tempDir());
  const port = await freeUdpPort();
  const shipped = await shippedConfiguration();
  const own = (change?.(shipped) ?? shipped)
    .split('\n')
    .filter((line) => !/^(listening-port|tls-listening-port)=/.test(line));
  const file = join(folder.path, 'turnserver.conf');
  const overrides = [
    `listening-port=${port}`,
    'listening-ip=127.0.0.1',
    'relay-ip=127.0.0.1',
    'relay-ip=::1',
    'no-tls',
    'no-dtls',
    `pidfile=${join(folder.path, 'pid')}`,
    `userdb=${join(folder.path, 'users.sqlite')}`,
    `static-auth-secret=${secret}`,
  ];
  await writeFile(file, [...own, ...overrides, ...more, ''].join('\n'));
  if (PROGRAM === undefined) throw new Error(coturnMissing ?? '');
  const child = spawn(PROGRAM, ['-c', file], { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder.path });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-200_000);
    });
  const exited = once(child, 'exit');
  stack.defer(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  });
  await using asking = await StunSocket.open({ address: '127.0.0.1', port });
  const answered = asking.ask({ method: 'binding', attributes: [] });
  await Promise.race([answered, exited]);
  if (child.exitCode !== null) throw new Error(`coturn ended: ${output.slice(-1_000)}`);
  const owned = stack.move();
  return { port, output: () => output, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((closed) => socket.close(() => closed()));
  return port;
}
