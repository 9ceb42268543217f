import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Endpoint extends AsyncDisposable {
  readonly origin: string;
  /** In the order they arrived, whatever was answered. */
  readonly received: Received[];
  /** What is answered; null: nothing, the request hangs. */
  answer: (request: Received, count: number) => Answer | null;
  /** Breaks off what hangs. */
  cut(): void;
}

/** A real HTTP server that somebody else would run: a webhook receiver or a push service. */
export async function startEndpoint(port = 0): Promise<Endpoint> {
  const endpoint = {
    received: [] as Received[],
    answer: ((): Answer | null => ({ status: 204 })) as Endpoint['answer'],
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const received = {
      path: request.url ?? '',
      headers: request.headers,
      body: await buffer(request).catch(() => Buffer.alloc(0)),
    };
    endpoint.received.push(received);
    const answer = endpoint.answer(received, endpoint.received.length);
    if (answer !== null) response.writeHead(answer.status, { ...answer.headers }).end();
  };
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return Object.assign(endpoint, {
    origin: `http://127.0.0.1:${address.port}`,
    cut: () => server.closeAllConnections(),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}
