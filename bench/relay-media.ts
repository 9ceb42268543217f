/**
 * What the sound of phone calls costs: `node bench/relay-media.ts [calls] [seconds]`. Recorded calls of G.711, both ways, with
 * the telephones in a thread of their own; the delay the relay adds stands beside that of a bare forwarder in the same run.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { startMediaThread } from '../server/telephony/rtp/media-link.ts';
import { startPhoneMedia } from '../server/telephony/rtp/phone-media.ts';
import type { LegName } from '../server/telephony/rtp/ports.ts';

const LAW = 8;
const FRAME_MS = 20;
const RELAY = { a: '127.0.62.50', b: '127.0.62.60' };
const PHONES = '127.0.62.1';
const BARE = { host: '127.0.62.90', port: 47_998 };

interface Phone {
  readonly port: number;
  readonly to: { readonly host: string; readonly port: number };
  readonly kind: 'relay' | 'bare';
}

type Job =
  | { readonly is: 'phones'; readonly phones: readonly Phone[]; readonly seconds: number }
  | { readonly is: 'bare'; readonly to: number };

async function bound(host: string, port: number): Promise<Socket> {
  const socket = createSocket({
    type: 'udp4',
    recvBufferSize: 1 << 20,
    lookup: (address, _options, callback) => callback(null, address, 4),
  });
  // The answer of such a look-up is there before `bind` returns.
  const listening = once(socket, 'listening');
  socket.bind(port, host);
  await listening;
  return socket;
}

const now = (): number => performance.timeOrigin + performance.now();

/** Every telephone sends 50 packets a second with the time in them, and looks at the time in what it gets. */
async function phones(list: readonly Phone[], seconds: number): Promise<void> {
  const delays: Record<Phone['kind'], number[]> = { relay: [], bare: [] };
  let sent = 0;
  const sockets = await Promise.all(
    list.map(async (phone) => {
      const socket = await bound(PHONES, phone.port);
      socket.on('message', (datagram) => delays[phone.kind].push(now() - datagram.readDoubleBE(12)));
      return socket;
    }),
  );
  const frames = (seconds * 1_000) / FRAME_MS;
  const startedAt = performance.now();
  // Telephones do not speak in step: each has its place in the 20 ms.
  for (let slot = 0; slot < frames * list.length; slot += 1) {
    const early = startedAt + (slot * FRAME_MS) / list.length - performance.now();
    if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
    const index = slot % list.length;
    const frame = Math.floor(slot / list.length);
    const phone = list[index];
    if (phone === undefined) continue;
    const packet = Buffer.alloc(172, 0xd5);
    packet[0] = 0x80;
    packet[1] = LAW;
    packet.writeUInt16BE(frame & 0xffff, 2);
    packet.writeUInt32BE((frame * 160) >>> 0, 4);
    packet.writeUInt32BE(index + 1, 8);
    packet.writeDoubleBE(now(), 12);
    sockets[index]?.send(packet, phone.to.port, phone.to.host);
    if (phone.kind === 'relay') sent += 1;
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  for (const socket of sockets) socket.close();
  parentPort?.postMessage({ delays, sent });
}

async function bare(to: number): Promise<void> {
  const socket = await bound(BARE.host, BARE.port);
  socket.on('message', (datagram) => socket.send(datagram, to, PHONES));
  parentPort?.postMessage('ready');
}

async function main(calls: number, seconds: number): Promise<void> {
  let thread: Worker | null = null;
  const media = await startPhoneMedia({
    ports: { from: 30_000, to: 30_000 + 8 * calls + 100 },
    startThread(settings) {
      thread = startMediaThread(settings);
      return thread;
    },
  });
  let recorded = 0;
  const list: Phone[] = [];
  const sessions = [];
  for (let call = 0; call < calls; call += 1) {
    const session = await media.open({
      address: RELAY,
      source: { a: 'signalled', b: 'signalled' },
      onEvent: () => undefined,
    });
    for (const leg of ['a', 'b'] satisfies LegName[]) {
      const port = 48_000 + list.length;
      const remote = { host: PHONES, port, codec: LAW, telephoneEvent: null, direction: 'both' } as const;
      session.setRemote(leg, remote);
      list.push({ port, to: { host: RELAY[leg], port: session.ports[leg] }, kind: 'relay' });
    }
    session.bridge(true);
    session.record({ append: (samples) => void (recorded += samples.length), close: async () => undefined });
    sessions.push(session);
  }
  const forwarder = new Worker(new URL(import.meta.url), {
    workerData: { is: 'bare', to: 47_999 } satisfies Job,
  });
  await once(forwarder, 'message');
  list.push({ port: 47_999, to: BARE, kind: 'bare' });
  const running: Worker | null = thread;
  if (running === null) throw new Error('no thread');
  const before = await cpuOf(running);
  const startedAt = performance.now();
  const senders = new Worker(new URL(import.meta.url), {
    workerData: { is: 'phones', phones: list, seconds } satisfies Job,
  });
  const [{ delays, sent }] = await once(senders, 'message');
  const tookMs = performance.now() - startedAt;
  const share = ((await cpuOf(running)) - before) / tookMs;
  const perCall = (100 * share) / calls;
  console.log(`${calls} recorded calls, ${seconds} s: ${sent} packets in, ${delays.relay.length} out`);
  console.log(`media thread: ${(100 * share).toFixed(1)} % of a core, ${perCall.toFixed(3)} % a call`);
  for (const kind of ['relay', 'bare'] as const) {
    const sorted = Float64Array.from(delays[kind]).toSorted();
    const at = (part: number): string => (sorted[Math.floor(sorted.length * part)] ?? Number.NaN).toFixed(3);
    console.log(`${kind}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
  }
  console.log(`recorded: ${(recorded / calls / 16_000).toFixed(1)} s a call`);
  for (const session of sessions) session.close();
  await forwarder.terminate();
  await media.close();
}

/** Milliseconds of processor time. */
async function cpuOf(thread: Worker): Promise<number> {
  const { user, system } = await thread.cpuUsage();
  return (user + system) / 1_000;
}

if (isMainThread) await main(Number(process.argv[2] ?? 50), Number(process.argv[3] ?? 10));
else {
  const job: Job = workerData;
  if (job.is === 'phones') await phones(job.phones, job.seconds);
  else await bare(job.to);
}
