/**
 * A program that runs a Ceph object gateway (a real S3 server) on loopback until the process it is told of has ended:
 * one monitor, one store in memory, one gateway, with their files in the folder it is given, which it removes.
 * Arguments: folder, process id. It writes `ready.json` into the folder, or `failed.txt`.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { argv, exit } from 'node:process';
import { promisify } from 'node:util';

const [, , folder = '', watched = ''] = argv;
const execute = promisify(execFile);
const env = { PATH: process.env['PATH'] ?? '', HOME: folder, CEPH_CONF: join(folder, 'ceph.conf') };
const run = (program: string, ...rest: string[]) =>
  execute(program, rest, { env, cwd: folder, timeout: 60_000 });
const daemons: ChildProcess[] = [];

function start(program: string, ...rest: string[]): void {
  // In the foreground, with its log in a file: it ends with us.
  daemons.push(spawn(program, ['-f', ...rest], { env, cwd: folder, stdio: 'ignore' }));
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  for (const server of servers) server.close();
  return ports;
}

async function startAll(): Promise<string> {
  const [monitor2 = 0, monitor1 = 0, gateway = 0] = await freePorts(3);
  const addresses = `[v2:127.0.0.1:${monitor2}/0,v1:127.0.0.1:${monitor1}/0]`;
  const cluster = randomUUID();
  const keyring = join(folder, 'keyring');
  for (const name of ['mon', 'osd', 'rgw', 'run']) await mkdir(join(folder, name));
  await writeFile(
    env.CEPH_CONF,
    `[global]
fsid = ${cluster}
mon host = ${addresses}
keyring = ${keyring}
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail warn = 1
mon data avail crit = 0
auth allow insecure global id reclaim = false
run dir = ${folder}/run
log file = ${folder}/$name.log
admin socket = ${folder}/run/$name.asok
public addr = 127.0.0.1
cluster addr = 127.0.0.1
[mon.a]
mon data = ${folder}/mon
[osd.0]
osd data = ${folder}/osd
osd objectstore = memstore
memstore device bytes = 536870912
[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:${gateway}
rgw data = ${folder}/rgw
rgw thread pool size = 64
rgw gc obj min wait = 1
rgw gc processor period = 5
`,
  );
  const key = (...rest: string[]) => run('ceph-authtool', keyring, '--gen-key', ...rest);
  await run('monmaptool', '--create', '--fsid', cluster, '--addv', 'a', addresses, join(folder, 'monmap'));
  await run(
    'ceph-authtool',
    '--create-keyring',
    keyring,
    '--gen-key',
    '-n',
    'mon.',
    '--cap',
    'mon',
    'allow *',
  );
  const everything = ['mon', 'osd', 'mgr', 'mds'].flatMap((part) => ['--cap', part, 'allow *']);
  await key('-n', 'client.admin', ...everything);
  await key('-n', 'client.rgw.a', '--cap', 'mon', 'allow rw', '--cap', 'osd', 'allow rwx');
  await key('-n', 'osd.0', '--cap', 'mon', 'allow profile osd', '--cap', 'osd', 'allow *');
  await run('ceph-mon', '--mkfs', '-i', 'a', '--monmap', join(folder, 'monmap'), '--keyring', keyring);
  start('ceph-mon', '-i', 'a');
  // The cluster must know the store by the id it is made with.
  const store = randomUUID();
  await run('ceph', 'osd', 'new', store);
  await run('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', store);
  start('ceph-osd', '-i', '0');
  for (const name of ['tele', 'small'])
    await run(
      'radosgw-admin',
      ...['user', 'create', `--uid=${name}`, `--display-name=${name}`],
      ...[`--access-key=${name}`, `--secret-key=${name}`],
    );
  await run('radosgw-admin', 'quota', 'set', '--quota-scope=user', '--uid=small', '--max-size=1048576');
  await run('radosgw-admin', 'quota', 'enable', '--quota-scope=user', '--uid=small');
  const asRoot = userInfo().uid === 0 ? ['--setuser', 'root', '--setgroup', 'root'] : [];
  start('radosgw', '-n', 'client.rgw.a', ...asRoot);
  const endpoint = `http://127.0.0.1:${gateway}`;
  for (;;) {
    const answer = await fetch(endpoint, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
    if (answer?.ok === true) return endpoint;
    if (daemons.some(hasEnded)) throw new Error('A part of Ceph ended.');
    await moment(100);
  }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;
const moment = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function isWatchedAlive(): boolean {
  try {
    return process.kill(Number(watched), 0);
  } catch {
    return false;
  }
}

async function end(): Promise<never> {
  const ended = daemons.filter((daemon) => !hasEnded(daemon)).map((daemon) => once(daemon, 'exit'));
  for (const daemon of daemons) daemon.kill('SIGKILL');
  await Promise.all(ended);
  await rm(folder, { recursive: true, force: true });
  exit(0);
}

setInterval(() => {
  if (!isWatchedAlive()) void end();
}, 250);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end());

/** Whole or absent: it is waited for by others. */
async function tell(file: string, text: string): Promise<void> {
  await writeFile(join(folder, `${file}.new`), text);
  await rename(join(folder, `${file}.new`), join(folder, file));
}

try {
  const endpoint = await startAll();
  await tell('ready.json', JSON.stringify({ endpoint }));
} catch (error) {
  await tell('failed.txt', String(error));
}
