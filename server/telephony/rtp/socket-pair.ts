/** The two sockets of a leg. Control packets that come to the odd one end there: they would name the other telephone. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';

/** What the kernel keeps while the thread is busy: a quarter of a second of the busiest sender and more. */
const RECEIVE_BUFFER_BYTES = 256 * 1024;

export interface SocketPair {
  send(packet: Buffer, port: number, host: string): void;
  /** May be called twice. */
  close(): void;
}

/** @throws the system's error, `EADDRINUSE` when one of the two ports is taken */
export async function openSocketPair(
  { address, port }: { address: string; port: number },
  onDatagram: (datagram: Buffer, from: RemoteInfo) => void,
): Promise<SocketPair> {
  const sound = open(address);
  const control = open(address);
  try {
    await bound(sound, port, address);
    await bound(control, port + 1, address);
  } catch (error) {
    sound.close();
    control.close();
    throw error;
  }
  // A host that cannot be reached is silence, which the silence watch tells.
  for (const socket of [sound, control]) socket.on('error', () => undefined);
  sound.on('message', onDatagram);
  control.on('message', () => undefined);
  let isOpen = true;
  return {
    send(packet, toPort, host) {
      if (isOpen) sound.send(packet, toPort, host, ignore);
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      sound.close();
      control.close();
    },
  };
}

function open(address: string): Socket {
  const family = isIPv6(address) ? 6 : 4;
  return createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    recvBufferSize: RECEIVE_BUFFER_BYTES,
    // Hosts are addresses, always: a name in somebody's SDP must not make us ask the DNS.
    lookup: (host, _options, callback) => callback(null, host, family),
  });
}

async function bound(socket: Socket, port: number, address: string): Promise<void> {
  const listening = once(socket, 'listening');
  socket.bind({ port, address, exclusive: true });
  await listening;
}

const ignore = (): void => undefined;
