import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { TransportOffer } from '@teleconsult/media';
import {
  PROTOCOL_VERSION,
  type Reply,
  type RequestInput,
  type RequestName,
  type RequestResult,
} from '@teleconsult/protocol';
import { Manager, type Socket } from 'socket.io-client';
import { personToken } from '../../helpers/test-tokens.ts';
import { ATTRIBUTES } from './stun.ts';
import { StunSocket } from './stun-socket.ts';

/** A person whose every connection comes from one address of this machine, and all that ever reached them. */
export class AddressedPerson implements AsyncDisposable {
  readonly address: string;
  /** Packets of the socket and answers of REST with their headers, as text. */
  readonly received: string[] = [];
  readonly #origin: string;
  readonly #token: string;
  readonly #socket: Socket;
  readonly #stack = new AsyncDisposableStack();

  static async connect(options: {
    origin: string;
    person: string;
    address: string;
  }): Promise<AddressedPerson> {
    const person = new AddressedPerson(options);
    await new Promise<void>((resolve, reject) => {
      person.#socket.once('connect', resolve);
      person.#socket.once('connect_error', reject);
    });
    return person;
  }

  private constructor({ origin, person, address }: { origin: string; person: string; address: string }) {
    this.address = address;
    this.#origin = origin;
    this.#token = personToken(person);
    const options = {
      transports: ['websocket'],
      reconnection: false,
      autoConnect: false,
      localAddress: address,
    };
    const manager = new Manager(origin, options);
    const deviceId = `device-${randomBytes(6).toString('hex')}`;
    const auth = { protocol: PROTOCOL_VERSION, token: this.#token, deviceId };
    this.#socket = manager.socket('/', { auth });
    this.#socket.connect();
    manager.engine.on('packet', ({ data }: { data?: unknown }) => this.received.push(textOf(data)));
  }

  async request<N extends RequestName>(name: N, payload: RequestInput<N>): Promise<RequestResult<N>> {
    const reply = (await this.#socket.timeout(10_000).emitWithAck(name, payload)) as Reply<RequestResult<N>>;
    if (reply.ok) return reply.data;
    throw new Error(`${name}: ${reply.error.code}`);
  }

  /** The status of a REST request made from the person's address. */
  async get(path: string): Promise<number> {
    const headers = { authorization: `Bearer ${this.#token}` };
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const asked = httpRequest(new URL(path, this.#origin), { headers, localAddress: this.address });
    asked.once('error', reject);
    asked.once('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('end', () => {
        this.received.push(`${response.rawHeaders.join('\n')}\n\n${body}`);
        resolve(response.statusCode ?? 0);
      });
    });
    asked.end();
    return promise;
  }

  /** Checks the path to a transport as a browser's ICE does, so that the media server knows the address. */
  async reachMedia({ iceParameters, iceCandidates }: TransportOffer): Promise<boolean> {
    const udp = iceCandidates.find(({ protocol }) => protocol === 'udp');
    if (udp === undefined) throw new Error('the media server offers no UDP');
    const socket = this.#stack.use(await StunSocket.open({ address: udp.ip, port: udp.port }, this.address));
    const answer = await socket.ask({
      method: 'binding',
      key: iceParameters.password,
      attributes: [
        [ATTRIBUTES.username, Buffer.from(`${iceParameters.usernameFragment}:device`)],
        [ATTRIBUTES.priority, Buffer.from([0x6e, 0, 1, 0xff])],
        [ATTRIBUTES.iceControlling, randomBytes(8)],
        [ATTRIBUTES.useCandidate, Buffer.alloc(0)],
      ],
    });
    return answer.succeeded;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.disconnect();
    await this.#stack.disposeAsync();
  }
}

const textOf = (data: unknown): string =>
  data instanceof Uint8Array ? Buffer.from(data).toString('latin1') : String(data);
