/** Telephones in a thread of their own: each sends 50 packets a second with the time in them, and looks at the time in what it gets. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';

export interface LoadPhone {
  readonly port: number;
  readonly to: { readonly host: string; readonly port: number };
}

export interface LoadJob {
  readonly host: string;
  readonly phones: readonly LoadPhone[];
  readonly seconds: number;
}

export interface LoadOutcome {
  readonly sent: number;
  readonly received: number;
  /** Milliseconds, of every packet. */
  readonly delays: readonly number[];
  /** When the last packet left later than it should have, in milliseconds: the machine was too busy to be measured. */
  readonly lateMs: number;
}

const FRAME_MS = 20;
const MARK = 0x7e1e_c0de;
/** What is under way arrives in that time. */
const DRAIN_MS = 1_000;

const now = (): number => performance.timeOrigin + performance.now();

async function bound(host: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  socket.bind(port, host);
  await once(socket, 'listening');
  return socket;
}

const { host, phones, seconds } = workerData as LoadJob;
const delays: number[] = [];
let sent = 0;
const sockets = await Promise.all(
  phones.map(async ({ port }) => {
    const socket = await bound(host, port);
    socket.on('message', (datagram) => {
      if (datagram.length === 172 && datagram.readUInt32BE(20) === MARK)
        delays.push(now() - datagram.readDoubleBE(12));
    });
    return socket;
  }),
);
parentPort?.postMessage('ready');
const frames = (seconds * 1_000) / FRAME_MS;
const startedAt = performance.now();
let lateMs = 0;
// Telephones do not speak in step: each has its place in the 20 ms.
for (let slot = 0; slot < frames * phones.length; slot += 1) {
  const early = startedAt + (slot * FRAME_MS) / phones.length - performance.now();
  lateMs = Math.max(lateMs, -early);
  if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
  const index = slot % phones.length;
  const phone = phones[index];
  if (phone === undefined) continue;
  const frame = Math.floor(slot / phones.length);
  const packet = Buffer.alloc(172, 0xd5);
  packet[0] = 0x80;
  packet[1] = 8;
  packet.writeUInt16BE(frame & 0xffff, 2);
  packet.writeUInt32BE((frame * 160) >>> 0, 4);
  packet.writeUInt32BE(index + 1, 8);
  packet.writeDoubleBE(now(), 12);
  packet.writeUInt32BE(MARK, 20);
  sockets[index]?.send(packet, phone.to.port, phone.to.host);
  sent += 1;
}
await new Promise((resolve) => setTimeout(resolve, DRAIN_MS));
for (const socket of sockets) socket.close();
parentPort?.postMessage({ sent, received: delays.length, delays, lateMs } satisfies LoadOutcome);
