import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';

/** A UDP socket, as far as SIP needs one; tests lose packets in theirs. */
export interface Datagrams {
  /** Resolves with the port. */
  bind(address: string, port: number): Promise<number>;
  send(bytes: Buffer, address: string, port: number): void;
  onDatagram: (bytes: Buffer, address: string, port: number) => void;
  /** Resolves when what was sent has left. May be called twice. */
  close(): Promise<void>;
}

/** Holds what arrives while JavaScript is busy. */
const RECEIVE_BUFFER = 2 << 20;

export function openDatagrams(address: string): Datagrams {
  const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
  let closed = false;
  let sending = 0;
  let drained: (() => void) | null = null;
  const datagrams: Datagrams = {
    async bind(host, port) {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind(port, host, () => {
          socket.off('error', reject);
          resolve();
        });
      });
      // A packet nobody takes is a lost packet: the timers know what to do.
      socket.on('error', () => undefined);
      socket.on('message', (bytes, from) => datagrams.onDatagram(bytes, from.address, from.port));
      try {
        socket.setRecvBufferSize(RECEIVE_BUFFER);
      } catch {
        // The system allows less; it stays what it is.
      }
      return socket.address().port;
    },
    send(bytes, host, port) {
      // Nothing can be sent to port 0, and trying to throws: whoever forges it as theirs gets nothing.
      if (closed || port === 0) return;
      sending += 1;
      socket.send(bytes, port, host, () => {
        sending -= 1;
        if (sending === 0) drained?.();
      });
    },
    onDatagram: () => undefined,
    async close() {
      if (closed) return;
      closed = true;
      if (sending > 0)
        await new Promise<void>((resolve) => {
          drained = resolve;
        });
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
  return datagrams;
}
