/** The real daemon, on addresses of its own, as long as a test lasts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { NgClient } from '@teleconsult/server/telephony/rtpengine/ng-client';
import { eventually } from '../../../helpers/eventually.ts';

const RTPENGINE = '/usr/bin/rtpengine';
export const rtpengineIsThere = existsSync(RTPENGINE);
/** In the title of what is skipped. */
export const SKIPPED = rtpengineIsThere ? '' : ' (skipped: rtpengine is not installed)';

/** Each test file runs in a process of its own, and several may run at once. */
const FIRST_PORT = 26_000 + 100 * (process.pid % 40);

export interface Daemon extends AsyncDisposable {
  readonly host: string;
  readonly ng: { readonly host: string; readonly port: number };
  /** Where it tells of keys. */
  readonly digits: { readonly host: string; readonly port: number };
  readonly pid: number;
  /** All it has written. */
  readonly log: () => string;
  kill(): Promise<void>;
  /** After `kill`: another one, on the same addresses. */
  restart(): Promise<void>;
}

/** @param timeout after so many seconds without sound it closes a call */
export async function startDaemon(host: string, timeout = 60): Promise<Daemon> {
  const ng = { host, port: await freePort(host) };
  const digits = { host, port: await freePort(host) };
  let log = '';
  let child: ChildProcess;
  const start = async (): Promise<ChildProcess> => {
    const started = spawn(
      RTPENGINE,
      [
        '--config-file=none',
        '--foreground',
        '--log-stderr',
        '--no-log-timestamps',
        '--log-level=6',
        // No kernel module.
        '--table=-1',
        `--interface=${host}`,
        `--listen-ng=${ng.host}:${ng.port}`,
        `--dtmf-log-dest=${digits.host}:${digits.port}`,
        `--port-min=${FIRST_PORT}`,
        `--port-max=${FIRST_PORT + 499}`,
        '--num-threads=2',
        `--timeout=${timeout}`,
        `--silent-timeout=${timeout}`,
        '--delete-delay=0',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    started.stderr.on('data', (bytes: Buffer) => {
      log = (log + bytes.toString('latin1')).slice(-200_000);
    });
    const asked = await NgClient.connect(ng);
    try {
      await eventually('the daemon answers', () => asked.ask('ping').then(() => true), { withinMs: 20_000 });
    } finally {
      asked.close();
    }
    return started;
  };
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };
  child = await start();
  return {
    host,
    ng,
    digits,
    get pid() {
      return child.pid ?? 0;
    },
    log: () => log,
    kill: end,
    async restart() {
      child = await start();
    },
    [Symbol.asyncDispose]: end,
  };
}

async function freePort(host: string): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}
