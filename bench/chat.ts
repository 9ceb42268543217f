/**
 * Chat throughput against a bare Socket.IO server that keeps nothing, side by side in one run (A B A B …).
 * Ours parses, authorises, numbers, seals, syncs to disk and only then acknowledges and sends on.
 * Server on core 0, load on core 1, where `taskset` exists. Run: node bench/chat.ts [pairs]
 * Beside the rate stands the server's processor time a message, which says more on a machine that does other things, too.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { createConsultation, peopleOf } from '../test/helpers/test-app.ts';
import { hostToken, personToken, TEST_IDENTITY, TEST_KEY } from '../test/helpers/test-tokens.ts';

const PAIRS = Number(process.argv[2] ?? 5);
const SECONDS = 4;
const CONSULTATIONS = 20;
/** Messages each sender has on their way at once: a closed loop, so that neither server drowns. */
const WINDOW = 16;
const TEXT = 'x'.repeat(200);
/** Linux counts a process's time in hundredths of a second (proc(5), `sysconf(_SC_CLK_TCK)`). */
const TICK_US = 10_000;

interface Run {
  readonly acksPerSecond: number;
  /** Processor time of the server for one message, all its threads together; NaN where there is no /proc. */
  readonly cpuUs: number;
  readonly ackP50Ms: number;
  readonly ackP99Ms: number;
}

const pinned = spawnSync('taskset', ['-V']).status === 0;
if (pinned) spawnSync('taskset', ['-p', '-c', '1', String(process.pid)]);

async function start(
  entry: string,
  env: Record<string, string>,
): Promise<{ origin: string; child: ChildProcess }> {
  const command = pinned ? ['taskset', '-c', '0', process.execPath, entry] : [process.execPath, entry];
  const child = spawn(command[0] ?? '', command.slice(1), {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const origin = await new Promise<string>((resolve, reject) => {
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const found = /listens on (\S+)/.exec(output)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', () => reject(new Error(`${entry} ended`)));
  });
  return { origin, child };
}

async function connect(origin: string, token: string, consultationId: string): Promise<Socket> {
  const socket = io(origin, {
    auth: { protocol: 1, token, deviceId: `bench-${randomBytes(8).toString('hex')}` },
    transports: ['websocket'],
    forceNew: true,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  await socket.emitWithAck('consultation.watch', { consultationId });
  return socket;
}

async function cpuUsOf(pid: number | undefined): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name before the last bracket may hold spaces; user and system time are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** Pairs of clients send to each other for a while; lost or surplus messages void the run. */
async function load(
  pairs: readonly (readonly [string, Socket, Socket])[],
  { pid }: ChildProcess,
): Promise<Run> {
  const cpuBefore = await cpuUsOf(pid);
  const latencies: number[] = [];
  let acked = 0;
  let received = 0;
  for (const [, , reader] of pairs) reader.on('entry.added', () => (received += 1));
  const until = performance.now() + SECONDS * 1000;
  const startedAt = performance.now();
  await Promise.all(
    pairs.flatMap(([consultationId, sender]) =>
      Array.from({ length: WINDOW }, async () => {
        while (performance.now() < until) {
          const sentAt = performance.now();
          const reply = await sender.emitWithAck('message.send', {
            consultationId,
            clientMessageId: `bench-${randomBytes(9).toString('base64url')}`,
            content: { type: 'text', text: TEXT },
          });
          if (!reply.ok) throw new Error(reply.error.code);
          latencies.push(performance.now() - sentAt);
          acked += 1;
        }
      }),
    ),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  for (let wait = 0; received < acked && wait < 200; wait++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  if (received !== acked) throw new Error(`void: ${acked} acknowledged, ${received} received`);
  const cpuUs = ((await cpuUsOf(pid)) - cpuBefore) / acked;
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  return { acksPerSecond: acked / seconds, cpuUs, ackP50Ms: at(0.5), ackP99Ms: at(0.99) };
}

async function runOurs(): Promise<Run> {
  const dataDir = await mkdtemp(join(tmpdir(), 'teleconsult-bench-'));
  const { origin, child } = await start('server/main.ts', {
    TELECONSULT_DATA_DIR: dataDir,
    TELECONSULT_PORT: '0',
    TELECONSULT_MEDIA: 'fake',
    TELECONSULT_WEB_DIR: '',
    TELECONSULT_LOG_LEVEL: 'error',
    TELECONSULT_TOKEN_ISSUER: TEST_IDENTITY.issuer,
    TELECONSULT_TOKEN_AUDIENCE: TEST_IDENTITY.audience,
    TELECONSULT_TOKEN_KEYS: JSON.stringify([TEST_KEY]),
    TELECONSULT_REQUESTS_PER_SECOND: '1000000',
  });
  try {
    const pairs = [];
    for (let index = 0; index < CONSULTATIONS; index++) {
      const view = await createConsultation(origin, hostToken(), `bench-${index}`);
      const people = peopleOf(view);
      const id = view.consultationId;
      pairs.push([
        id,
        await connect(origin, personToken(people.patient), id),
        await connect(origin, personToken(people.doctor), id),
      ] as const);
    }
    return await finish(pairs, child);
  } finally {
    child.kill('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function runBare(): Promise<Run> {
  const { origin, child } = await start('bench/bare-socketio.ts', { TELECONSULT_PORT: '0' });
  try {
    const pairs = [];
    for (let index = 0; index < CONSULTATIONS; index++) {
      const id = `bench-${index}`;
      pairs.push([id, await connect(origin, 'none', id), await connect(origin, 'none', id)] as const);
    }
    return await finish(pairs, child);
  } finally {
    child.kill('SIGKILL');
  }
}

async function finish(
  pairs: readonly (readonly [string, Socket, Socket])[],
  child: ChildProcess,
): Promise<Run> {
  try {
    return await load(pairs, child);
  } finally {
    for (const [, sender, reader] of pairs) {
      sender.disconnect();
      reader.disconnect();
    }
  }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
const show = ({ acksPerSecond, cpuUs, ackP50Ms, ackP99Ms }: Run): string =>
  `${acksPerSecond.toFixed(0).padStart(7)}/s   p50 ${ackP50Ms.toFixed(1)} ms   p99 ${ackP99Ms.toFixed(1)} ms   ` +
  `${cpuUs.toFixed(0)} µs of processor a message`;

const ratios: number[] = [];
const costs: number[] = [];
for (let pair = 1; pair <= PAIRS; pair++) {
  const bare = await runBare();
  const ours = await runOurs();
  ratios.push(ours.acksPerSecond / bare.acksPerSecond);
  costs.push(bare.cpuUs / ours.cpuUs);
  console.log(`${pair}  bare ${show(bare)}\n   ours ${show(ours)}   ratio ${ratios.at(-1)?.toFixed(2)}`);
}
console.log(
  `\nacknowledged and delivered messages, ours ÷ bare Socket.IO: median ${median(ratios).toFixed(2)} ` +
    `(${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}, ${PAIRS} pairs); ` +
    `by processor time ${median(costs).toFixed(2)}`,
);
process.exit(0);
