import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { decodeAnswer, encodeRequest, type StunAnswer, type StunRequest } from './stun.ts';

/** How often a request is repeated while there is no answer, and how many times: UDP may lose it. */
const REPEAT_MS = 200;
const REPEATS = 25;

/** A UDP socket of the test's own address that asks one STUN server. */
export class StunSocket implements AsyncDisposable {
  readonly #socket;
  readonly #server: { readonly address: string; readonly port: number };
  #closed = false;
  readonly #answers = new Map<string, (answer: StunAnswer) => void>();

  static async open(
    server: { address: string; port: number },
    localAddress = isIPv6(server.address) ? '::1' : '127.0.0.1',
  ): Promise<StunSocket> {
    const opened = new StunSocket(server, localAddress);
    opened.#socket.bind(0, localAddress);
    await once(opened.#socket, 'listening');
    return opened;
  }

  private constructor(server: { address: string; port: number }, localAddress: string) {
    this.#server = server;
    this.#socket = createSocket(isIPv6(localAddress) ? 'udp6' : 'udp4');
    this.#socket.on('message', (bytes) => {
      const answer = decodeAnswer(bytes);
      this.#answers.get(answer.transaction)?.(answer);
    });
  }

  async ask(request: StunRequest): Promise<StunAnswer> {
    const { bytes, transaction } = encodeRequest(request);
    const { promise, resolve, reject } = Promise.withResolvers<StunAnswer>();
    let sent = 0;
    const send = (): void => {
      if (this.#closed || sent >= REPEATS) reject(new Error(`no answer to ${request.method}`));
      else this.#socket.send(bytes, this.#server.port, this.#server.address);
      sent += 1;
    };
    this.#answers.set(transaction, resolve);
    const repeating = setInterval(send, REPEAT_MS);
    send();
    try {
      return await promise;
    } finally {
      clearInterval(repeating);
      this.#answers.delete(transaction);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await new Promise<void>((closed) => this.#socket.close(() => closed()));
  }
}
