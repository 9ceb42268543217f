/** A telephone that writes its SIP by hand, every header as it likes, and keeps every byte it is sent. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { eventually } from '../../../helpers/eventually.ts';

export interface Place {
  readonly host: string;
  readonly port: number;
}

export class RawPhone implements AsyncDisposable {
  readonly host: string;
  readonly datagrams: Buffer[] = [];
  readonly received: string[] = [];
  readonly #socket: Socket;
  /** Requests are answered by it at once; null: not at all. */
  onRequest: (request: string) => string | null = () => null;
  #from: Place | null = null;

  static async at(host: string): Promise<RawPhone> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
    socket.bind(0, host);
    await once(socket, 'listening');
    return new RawPhone(host, socket);
  }

  private constructor(host: string, socket: Socket) {
    this.host = host;
    this.#socket = socket;
    socket.on('message', (datagram, { address, port }) => {
      this.datagrams.push(datagram);
      const text = datagram.toString('latin1');
      this.received.push(text);
      this.#from = { host: address, port };
      if (text.startsWith('SIP/2.0')) return;
      const answer = this.onRequest(text);
      if (answer !== null) this.send(answer, this.#from);
    });
  }

  get port(): number {
    return this.#socket.address().port;
  }

  send(text: string, to: Place | null = this.#from): void {
    if (to !== null) this.#socket.send(Buffer.from(text, 'latin1'), to.port, to.host);
  }

  /** The first message that fits, from the n-th on. */
  next(what: RegExp, from = 0): Promise<string> {
    return eventually(
      `a message like ${what}`,
      () => this.received.slice(from).find((text) => what.test(text)),
      {
        lastSeen: () => this.received.map((text) => text.split('\r\n', 1)[0]),
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}

export const message = (lines: readonly string[], body = ''): string =>
  `${[...lines, `Content-Length: ${Buffer.byteLength(body, 'latin1')}`].join('\r\n')}\r\n\r\n${body}`;

export const headerOf = (text: string, name: string): string =>
  new RegExp(`^${name}:\\s*(.*)$`, 'im').exec(text)?.[1]?.trim() ?? '';

const allOf = (text: string, name: string): string[] =>
  text.split('\r\n').filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));

export const bodyOf = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4);

/** What a request is answered with: the headers that have to be the same, and whatever the phone adds. */
export function reply(
  request: string,
  status: string,
  more: { readonly tag: string; readonly lines?: readonly string[]; readonly body?: string },
): string {
  const to = headerOf(request, 'To');
  return message(
    [
      `SIP/2.0 ${status}`,
      ...allOf(request, 'Via'),
      ...allOf(request, 'Record-Route'),
      `From: ${headerOf(request, 'From')}`,
      `To: ${to.includes(';tag=') ? to : `${to};tag=${more.tag}`}`,
      `Call-ID: ${headerOf(request, 'Call-ID')}`,
      `CSeq: ${headerOf(request, 'CSeq')}`,
      ...(more.lines ?? []),
    ],
    more.body ?? '',
  );
}
