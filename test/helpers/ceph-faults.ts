/** A proxy before an S3 server that fails as lines, load balancers and disks do, request by request. */
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

export type Fault =
  /** The connection breaks before anything is answered. */
  | { readonly kind: 'cut' }
  /** Nothing is ever answered. */
  | { readonly kind: 'silent' }
  /** The server answers an error of S3. */
  | { readonly kind: 'answer'; readonly status: number; readonly code: string }
  /** Something answers that is no S3. */
  | { readonly kind: 'page'; readonly status: number; readonly text: string }
  /** One byte of the request's body is another. */
  | { readonly kind: 'damageRequest' }
  /** One byte of the answer's body is another. */
  | { readonly kind: 'damageAnswer' }
  /** The answer breaks off after so many bytes of its body. */
  | { readonly kind: 'truncateAnswer'; readonly afterBytes: number }
  /** The answer begins and then stands still. */
  | { readonly kind: 'stallAnswer'; readonly afterBytes: number }
  /** The server does as it was asked, and its answer is lost. */
  | { readonly kind: 'loseAnswer' };

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  /** Whether this is the request that `choose` is asked for, counted from 1. */
  readonly number: number;
}

export interface FaultProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** Asked for every request; null lets it pass. */
  choose: (request: SeenRequest) => Fault | null;
  readonly seen: SeenRequest[];
}

export async function openFaultProxy(target: string): Promise<FaultProxy> {
  const seen: SeenRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    const request = { method: incoming.method ?? '', url: incoming.url ?? '', number: seen.length + 1 };
    seen.push(request);
    incoming.on('error', () => undefined);
    outgoing.on('error', () => undefined);
    handle({ target, incoming, outgoing, fault: proxy.choose(request) }).catch(() => incoming.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const proxy: FaultProxy = {
    endpoint: `http://127.0.0.1:${port}`,
    choose: () => null,
    seen,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
  return proxy;
}

interface Handling {
  readonly target: string;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly fault: Fault | null;
}

async function handle({ target, incoming, outgoing, fault }: Handling): Promise<void> {
  if (fault?.kind === 'cut') return void incoming.socket.destroy();
  const body = await buffer(incoming);
  if (fault?.kind === 'silent') return;
  if (fault?.kind === 'answer') {
    outgoing.writeHead(fault.status, { 'content-type': 'application/xml' });
    return void outgoing.end(
      `<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>${fault.code}</Message></Error>`,
    );
  }
  if (fault?.kind === 'page') {
    outgoing.writeHead(fault.status, { 'content-type': 'text/html' });
    return void outgoing.end(fault.text);
  }
  if (fault?.kind === 'damageRequest') flip(body);
  const { hostname, port } = new URL(target);
  const { method, url: path, rawHeaders: headers } = incoming;
  const forwarded = httpRequest({ hostname, port, method, path, headers, agent: false });
  forwarded.end(body);
  const [answer] = (await once(forwarded, 'response')) as [IncomingMessage];
  const bytes = await buffer(answer);
  if (fault?.kind === 'loseAnswer') return void incoming.socket.destroy();
  if (fault?.kind === 'damageAnswer') flip(bytes);
  outgoing.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
  if (fault?.kind !== 'truncateAnswer' && fault?.kind !== 'stallAnswer') return void outgoing.end(bytes);
  await new Promise<void>((written) => outgoing.write(bytes.subarray(0, fault.afterBytes), () => written()));
  if (fault.kind === 'truncateAnswer') incoming.socket.destroy();
}

function flip(bytes: Buffer): void {
  const at = Math.floor(bytes.byteLength / 2);
  if (at < bytes.byteLength) bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
}
