/** Asks rtpengine by its control protocol (ng): bencode over UDP, each question with a cookie that its answer repeats. */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { type Bencoded, type BencodedDictionary, decode, encode, isDictionary, textAt } from './bencode.ts';

/**
 * A question is asked again with the same cookie: the daemon answers a repeated one from memory and does it once. Datagrams
 * are rarely lost on the way to a daemon nearby, so the first repetition comes soon.
 */
const ASK_AGAIN_AFTER_MS = [100, 200, 400, 800, 1_500] as const;
/** Commands under way at once; more of them means that the daemon does not answer. */
const MOST_UNDER_WAY = 2_000;
/** Room for the answers and announcements of many calls at once. */
const BUFFER_BYTES = 1 << 20;
/** What fits into a datagram. */
export const MOST_QUESTION_BYTES = 65_000;

/** `away`: it does not answer. `refused`: it says no. */
export class NgError extends Error {
  readonly reason: 'away' | 'refused';

  /** What the daemon says may hold what it was told, and so it is not taken over. */
  constructor(reason: 'away' | 'refused', command: string) {
    super(`rtpengine: ${command} ${reason === 'away' ? 'was not answered' : 'was refused'}`);
    this.name = 'NgError';
    this.reason = reason;
  }
}

export interface NgAddress {
  readonly host: string;
  readonly port: number;
}

export interface NgTuning {
  readonly askAgainAfterMs?: readonly number[];
}

interface UnderWay {
  readonly answered: (answer: BencodedDictionary) => void;
}

export class NgClient {
  readonly #socket: Socket;
  readonly #askAgainAfterMs: readonly number[];
  readonly #instance = randomBytes(6).toString('hex');
  readonly #underWay = new Map<string, UnderWay>();
  readonly #closing = new AbortController();
  #lastId = 0;

  /** @throws the system's error when there is no way to the address */
  static async connect({ host, port }: NgAddress, tuning: NgTuning = {}): Promise<NgClient> {
    const socket = createSocket({
      type: isIPv6(host) ? 'udp6' : 'udp4',
      recvBufferSize: BUFFER_BYTES,
      sendBufferSize: BUFFER_BYTES,
    });
    try {
      // Connected: the system drops what anybody else sends to this port.
      socket.connect(port, host);
      await once(socket, 'connect');
    } catch (error) {
      socket.close();
      throw error;
    }
    return new NgClient(socket, tuning);
  }

  private constructor(socket: Socket, tuning: NgTuning) {
    this.#socket = socket;
    this.#askAgainAfterMs = tuning.askAgainAfterMs ?? ASK_AGAIN_AFTER_MS;
    socket.on('message', (datagram) => this.#handle(datagram));
    // Nobody listens there, says the system; the question is asked again, and given up in time.
    socket.on('error', () => undefined);
  }

  /** @throws NgError */
  async ask(command: string, of: Readonly<Record<string, Bencoded>> = {}): Promise<BencodedDictionary> {
    const answer = await this.#asked(command, encode({ ...of, command }));
    const result = textAt(answer, 'result', 16);
    if (result !== 'ok' && result !== 'pong') throw new NgError('refused', command);
    return answer;
  }

  /** May be called twice. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#socket.close();
  }

  async #asked(command: string, question: Buffer): Promise<BencodedDictionary> {
    if (this.#closing.signal.aborted || this.#underWay.size >= MOST_UNDER_WAY)
      throw new NgError('away', command);
    this.#lastId += 1;
    const cookie = `${this.#instance}_${this.#lastId}`;
    const datagram = Buffer.concat([Buffer.from(`${cookie} `), question]);
    if (datagram.length > MOST_QUESTION_BYTES) throw new RangeError('rtpengine: a question is too long');
    const answered = Promise.withResolvers<BencodedDictionary>();
    this.#underWay.set(cookie, { answered: answered.resolve });
    let timer: NodeJS.Timeout | null = null;
    const giveUp = (): void => answered.reject(new NgError('away', command));
    const send = (tries: number): void => {
      const again = this.#askAgainAfterMs[tries];
      if (again === undefined) return giveUp();
      this.#socket.send(datagram, () => undefined);
      timer = setTimeout(() => send(tries + 1), again);
    };
    this.#closing.signal.addEventListener('abort', giveUp, { once: true });
    try {
      send(0);
      return await answered.promise;
    } finally {
      if (timer !== null) clearTimeout(timer);
      this.#underWay.delete(cookie);
      this.#closing.signal.removeEventListener('abort', giveUp);
    }
  }

  /** What answers no question of ours, or is no answer, is as good as lost. */
  #handle(datagram: Buffer): void {
    const space = datagram.indexOf(0x20);
    if (space < 1 || space > 64) return;
    const underWay = this.#underWay.get(datagram.toString('latin1', 0, space));
    if (underWay === undefined) return;
    const answer = decode(datagram.subarray(space + 1));
    if (isDictionary(answer)) underWay.answered(answer);
  }
}
