import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SIPP = '/usr/bin/sipp';
export const sippIsThere = existsSync(SIPP);
/** In the title of what is skipped. */
export const SKIPPED = sippIsThere ? '' : ' (skipped: sipp is not installed)';

export const SIPP_ADDRESS = '127.0.61.20';

export interface Sipp extends AsyncDisposable {
  readonly port: number;
  /** Resolves with what sipp said when the scenario is over; rejects when it did not go as written. */
  readonly done: Promise<string>;
}

/** One call of a scenario. As caller it calls `remote`; without one it waits to be called. */
export async function sipp(
  scenario: string,
  protocol: 'udp' | 'tcp',
  remote?: { readonly address: string; readonly port: number },
): Promise<Sipp> {
  const port = await freePort();
  const file = fileURLToPath(new URL(`../scenarios/${scenario}.xml`, import.meta.url));
  const where = remote === undefined ? [] : [`${remote.address}:${remote.port}`];
  const child = spawn(
    SIPP,
    [
      ...where,
      '-sf',
      file,
      '-i',
      SIPP_ADDRESS,
      '-p',
      String(port),
      '-t',
      protocol === 'udp' ? 'u1' : 't1',
      '-m',
      '1',
      '-s',
      '17000003333',
      '-nostdin',
      '-timeout',
      '20s',
      '-timeout_error',
      '-cid_str',
      '%u-%p-sipp',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/tmp' },
  );
  let said = '';
  const note = (bytes: Buffer): void => {
    said = (said + bytes.toString('latin1')).slice(-20_000);
  };
  child.stdout.on('data', note);
  child.stderr.on('data', note);
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const limit = setTimeout(() => child.kill('SIGKILL'), 25_000);
  const done = exited.then((code) => {
    clearTimeout(limit);
    if (code !== 0) throw new Error(`sipp ended with ${code}: ${said.slice(-4000)}`);
    return said;
  });
  done.catch(() => undefined);
  return {
    port,
    done,
    async [Symbol.asyncDispose]() {
      clearTimeout(limit);
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, SIPP_ADDRESS, resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}
