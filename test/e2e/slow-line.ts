import { connect, createServer, type Socket } from 'node:net';

/** A connection that carried so much uploads something; the others are left alone when uploads are held. */
const UPLOAD_BYTES = 128 * 1024;

export interface SlowLine extends AsyncDisposable {
  readonly origin: string;
  /** What browsers have sent to the server over the line, in bytes. */
  readonly sentBytes: number;
  /** Holds uploads once so many more bytes were sent; null: none, from now on. */
  holdAfter(bytes: number | null): void;
  readonly isHolding: boolean;
}

/** A line to a server, which counts what is sent and can stand still in the middle of an upload. */
export async function startSlowLine(to: string): Promise<SlowLine> {
  const { hostname, port } = new URL(to);
  const sockets = new Set<Socket>();
  let sentBytes = 0;
  let limit = Number.POSITIVE_INFINITY;
  let isHolding = false;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let carried = 0;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    client.on('data', (chunk) => {
      carried += chunk.length;
      if (sentBytes > limit && carried > UPLOAD_BYTES) {
        isHolding = true;
        client.pause();
        return;
      }
      sentBytes += chunk.length;
      if (!upstream.write(chunk)) {
        client.pause();
        upstream.once('drain', () => client.resume());
      }
    });
    upstream.on('data', (chunk) => client.write(chunk));
    const end = (): void => {
      for (const socket of [client, upstream]) {
        sockets.delete(socket);
        socket.destroy();
      }
    };
    client.on('close', end);
    upstream.on('close', end);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    get sentBytes() {
      return sentBytes;
    },
    get isHolding() {
      return isHolding;
    },
    holdAfter(bytes) {
      isHolding = false;
      limit = bytes === null ? Number.POSITIVE_INFINITY : sentBytes + bytes;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
