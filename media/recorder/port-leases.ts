import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { TapTarget } from '../sfu.ts';
import { RecorderError } from './recorder.ts';

/** Below the ports that Linux hands out by itself (32768 and up), so that nobody gets one of these by chance. */
const FIRST_PORT = 30_000;
const PAIRS = 1_300;

/** A pair of ports is this recorder's until it is given back. */
export interface PortLease extends TapTarget {
  /** May be called twice. */
  release(): void;
}

/**
 * Pairs of UDP ports of the loopback, RTP on the even one and RTCP on the next (RFC 3550 §11), each lent once at a time.
 * Another program may still take a port between the look and the use: whoever binds it finds out and asks for another.
 */
export class PortLeases {
  readonly #taken = new Set<number>();

  /** @throws RecorderError `no_ports` when all are taken. */
  async lease(): Promise<PortLease> {
    const first = randomInt(PAIRS);
    for (let step = 0; step < PAIRS; step += 1) {
      const rtpPort = FIRST_PORT + 2 * ((first + step) % PAIRS);
      if (this.#taken.has(rtpPort)) continue;
      this.#taken.add(rtpPort);
      const lease = { rtpPort, rtcpPort: rtpPort + 1, release: () => void this.#taken.delete(rtpPort) };
      if ((await isFree(lease.rtpPort)) && (await isFree(lease.rtcpPort))) return lease;
      lease.release();
    }
    throw new RecorderError('no_ports');
  }
}

async function isFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind({ port, address: '127.0.0.1', exclusive: true });
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}
