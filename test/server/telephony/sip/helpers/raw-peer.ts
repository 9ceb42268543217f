import { createSocket } from 'node:dgram';
import { eventually } from '../../../../helpers/eventually.ts';

export interface RawPeer extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  readonly received: string[];
  bytesReceived: number;
  send(text: string | Buffer, to: { readonly address: string; readonly port: number }): void;
  /** The first message that fits, from the n-th on. */
  next(what: RegExp, from?: number): Promise<string>;
}

/** A UDP peer that writes its messages by hand. */
export async function rawPeer(address = '127.0.61.9'): Promise<RawPeer> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, address, resolve));
  const peer: RawPeer = {
    address,
    port: socket.address().port,
    received: [],
    bytesReceived: 0,
    send: (text, to) =>
      socket.send(typeof text === 'string' ? Buffer.from(text, 'latin1') : text, to.port, to.address),
    next: (what, from = 0) =>
      eventually(`a message like ${what}`, () => peer.received.slice(from).find((text) => what.test(text)), {
        lastSeen: () => peer.received,
      }),
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
  socket.on('message', (bytes) => {
    peer.bytesReceived += bytes.length;
    peer.received.push(bytes.toString('latin1'));
  });
  return peer;
}

/** Lines with CRLF, and an empty one after the head. */
export const sip = (lines: readonly string[], body = ''): string =>
  `${[...lines, `Content-Length: ${Buffer.byteLength(body, 'latin1')}`].join('\r\n')}\r\n\r\n${body}`;

/** A request of a raw peer; what is not given is what a phone would write. */
export function request(
  peer: RawPeer,
  to: { readonly uri: string },
  options: {
    readonly method: string;
    readonly branch: string;
    readonly callId: string;
    readonly seq?: number;
    readonly fromTag?: string;
    readonly toTag?: string;
    readonly headers?: readonly string[];
    readonly body?: string;
  },
): string {
  const { method, branch, callId, seq = 1, fromTag = 'raw', toTag, headers = [], body = '' } = options;
  const tag = toTag === undefined ? '' : `;tag=${toTag}`;
  return sip(
    [
      `${method} ${to.uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${peer.address}:${peer.port};branch=z9hG4bK${branch};rport`,
      'Max-Forwards: 70',
      `From: <sip:phone@${peer.address}>;tag=${fromTag}`,
      `To: <${to.uri}>${tag}`,
      `Call-ID: ${callId}`,
      `CSeq: ${seq} ${method}`,
      `Contact: <sip:phone@${peer.address}:${peer.port}>`,
      ...headers,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
    ],
    body,
  );
}

export const toTagOf = (message: string): string => /^To:.*;tag=([^;\r\n]+)/im.exec(message)?.[1] ?? '';

/** An answer of a raw peer to a request it was sent. */
export function answer(
  peer: RawPeer,
  to: string,
  status: string,
  options: { readonly tag?: string; readonly headers?: readonly string[]; readonly body?: string } = {},
): string {
  const kept = to.split('\r\n').filter((line) => /^(Via|From|Call-ID|CSeq|Record-Route):/i.test(line));
  const toLine = /^To:.*$/im.exec(to)?.[0] ?? '';
  const tag = options.tag === undefined || toLine.includes(';tag=') ? '' : `;tag=${options.tag}`;
  const body = options.body ?? '';
  return sip(
    [
      `SIP/2.0 ${status}`,
      ...kept,
      `${toLine}${tag}`,
      `Contact: <sip:phone@${peer.address}:${peer.port}>`,
      ...(options.headers ?? []),
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
    ],
    body,
  );
}
