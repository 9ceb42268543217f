import { createHash } from 'node:crypto';
import { ATTRIBUTES, type Attribute, type StunAnswer, xorAddress } from './stun.ts';
import { StunSocket } from './stun-socket.ts';

export interface Credentials {
  readonly username: string;
  readonly credential: string;
}

const REQUESTED_UDP = Buffer.from([17, 0, 0, 0]);
const FAMILY = { ipv4: Buffer.from([1, 0, 0, 0]), ipv6: Buffer.from([2, 0, 0, 0]) } as const;

/** A device's side of TURN (RFC 8656): one allocation, with long-term credentials. */
export class TurnClient implements AsyncDisposable {
  readonly #socket: StunSocket;
  readonly #credentials: Credentials;
  #realm = Buffer.alloc(0);
  #nonce = Buffer.alloc(0);

  static async open(
    server: { address: string; port: number },
    credentials: Credentials,
    localAddress?: string,
  ): Promise<TurnClient> {
    return new TurnClient(await StunSocket.open(server, localAddress), credentials);
  }

  private constructor(socket: StunSocket, credentials: Credentials) {
    this.#socket = socket;
    this.#credentials = credentials;
  }

  /** 0 when a relayed transport was given, else the server's refusal: 401 for credentials, 486 for the quota. */
  async allocate(family: keyof typeof FAMILY = 'ipv4'): Promise<number> {
    const wanted: Attribute[] = [
      [ATTRIBUTES.requestedTransport, REQUESTED_UDP],
      [ATTRIBUTES.requestedAddressFamily, FAMILY[family]],
    ];
    const challenge = await this.#socket.ask({ method: 'allocate', attributes: wanted });
    this.#realm = Buffer.from(challenge.attributes.get(ATTRIBUTES.realm) ?? []);
    this.#nonce = Buffer.from(challenge.attributes.get(ATTRIBUTES.nonce) ?? []);
    const answer = await this.#ask('allocate', wanted);
    return answer.errorCode;
  }

  /** 0 when the relay may talk to this peer, 403 when it may not. */
  async permit(peer: string): Promise<number> {
    const answer = await this.#ask('createPermission', [[ATTRIBUTES.xorPeerAddress, xorAddress(peer, 9)]]);
    return answer.errorCode;
  }

  #ask(method: 'allocate' | 'createPermission', attributes: readonly Attribute[]): Promise<StunAnswer> {
    const { username, credential } = this.#credentials;
    const key = createHash('md5').update(`${username}:${this.#realm.toString()}:${credential}`).digest();
    return this.#socket.ask({
      method,
      key,
      attributes: [
        [ATTRIBUTES.username, Buffer.from(username)],
        [ATTRIBUTES.realm, this.#realm],
        [ATTRIBUTES.nonce, this.#nonce],
        ...attributes,
      ],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket[Symbol.asyncDispose]();
  }
}
