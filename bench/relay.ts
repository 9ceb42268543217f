/**
 * The embedded relay beside a bare UDP forwarder, in the same run: `node bench/relay.ts [calls] [seconds]`. Both carry the
 * same packets; the forwarder reads no SIP and no RTP, keeps nothing and records nothing, so it is what no relay can beat.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type LoadResult, percentile, runLoad } from '../test/server/telephony/embedded/load.ts';
import type { LoadJob, LoadOutcome, LoadPhone } from '../test/server/telephony/embedded/load-phones.ts';

const PHONES = '127.0.71.91';
const BARE = '127.0.71.92';
const FIRST_PHONE = 27_000;
const FIRST_BARE = 29_000;

/** Port n sends to the phone n belongs to. */
interface BareJob {
  readonly routes: readonly { readonly port: number; readonly to: number }[];
}

async function forward({ routes }: BareJob): Promise<void> {
  for (const { port, to } of routes) {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
    socket.bind(port, BARE);
    await once(socket, 'listening');
    socket.on('message', (datagram) => socket.send(datagram, to, PHONES));
  }
  parentPort?.postMessage('ready');
}

interface BareResult extends LoadOutcome {
  readonly cpu: number;
}

async function runBare(calls: number, seconds: number): Promise<BareResult> {
  const phones: LoadPhone[] = [];
  const routes: { port: number; to: number }[] = [];
  for (let leg = 0; leg < 2 * calls; leg += 1) {
    const other = leg ^ 1;
    phones.push({ port: FIRST_PHONE + leg, to: { host: BARE, port: FIRST_BARE + leg } });
    routes.push({ port: FIRST_BARE + leg, to: FIRST_PHONE + other });
  }
  const here = new URL(import.meta.url);
  const forwarder = new Worker(here, { workerData: { routes } satisfies BareJob });
  await once(forwarder, 'message');
  const worker = new Worker(new URL('../test/server/telephony/embedded/load-phones.ts', here), {
    workerData: { host: PHONES, phones, seconds } satisfies LoadJob,
  });
  await once(worker, 'message');
  const before = await forwarder.cpuUsage();
  const at = performance.now();
  const [outcome] = (await once(worker, 'message')) as [LoadOutcome];
  const tookMs = performance.now() - at;
  const after = await forwarder.cpuUsage(before);
  await forwarder.terminate();
  return { ...outcome, cpu: (after.user + after.system) / 1_000 / tookMs };
}

function compare(calls: number, relay: LoadResult, bare: BareResult): void {
  const line = (name: string, cpu: number, { delays, sent, received }: LoadOutcome): void =>
    console.log(
      `${name}: ${((100 * cpu) / calls).toFixed(3)} % of a core a call, delay median ${percentile(delays, 0.5).toFixed(3)} ms, p99 ${percentile(delays, 0.99).toFixed(3)} ms, ${sent - received} of ${sent} packets lost`,
    );
  const cpu = relay.soundCpu + relay.mainCpu;
  line('relay, recorded', cpu, relay);
  line('bare forwarder', bare.cpu, bare);
  const ratio = (part: number): string =>
    (percentile(relay.delays, part) / percentile(bare.delays, part)).toFixed(2);
  console.log(
    `ratio: ${(cpu / bare.cpu).toFixed(2)} of its processor time, ${ratio(0.5)} of its median delay, ${ratio(0.99)} of its p99`,
  );
}

if (isMainThread) {
  const [calls, seconds] = [Number(process.argv[2] ?? 50), Number(process.argv[3] ?? 10)];
  const bare = await runBare(calls, seconds);
  const relay = await runLoad({ calls, seconds, recorded: true });
  compare(calls, relay, bare);
  process.exit(0);
} else await forward(workerData as BareJob);
