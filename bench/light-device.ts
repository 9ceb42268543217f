/**
 * A device that costs the machine next to nothing beside the server under test: Socket.IO by hand over a WebSocket, and
 * the SDK's own policy of coming back. 5,000 whole SDKs in one process would measure that process.
 */

import { AppError, type ErrorBody, PROTOCOL_VERSION } from '@teleconsult/protocol';
import { WebSocket } from 'ws';
import { atLeastAsAsked } from '../client-sdk/backoff.ts';
import { defaultReconnectPolicy } from '../client-sdk/reconnect-policy.ts';

export interface LightDeviceOptions {
  readonly origin: string;
  readonly deviceId: string;
  readonly token: string;
  readonly consultationId: string;
}

/** As the SDK: an attempt that takes longer is given up. */
const ATTEMPT_MS = 10_000;
interface Seat {
  readonly callId: string;
  /** What its next join needs; null before the first was answered. */
  readonly resumeTicket: string | null;
}

type Answer =
  | { readonly ok: true; readonly data: unknown }
  | { readonly ok: false; readonly error: ErrorBody };

export class LightDevice {
  readonly #options: LightDeviceOptions;
  #socket: WebSocket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #attempt = 0;
  #lostAt = 0;
  #isClosed = false;
  #asked = 0;
  #answers = new Map<number, (answer: Answer) => void>();
  /** The seat of a running call, which it takes again when it comes back. */
  #seat: Seat | null = null;
  readonly enteredAt: number[] = [];
  readonly servedAt: number[] = [];
  refused = 0;
  /** Called when it is served. */
  onServed: () => void = () => {};

  constructor(options: LightDeviceOptions) {
    this.#options = options;
  }

  connect(): void {
    const { origin, token, deviceId } = this.#options;
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, {
      perMessageDeflate: false,
      handshakeTimeout: ATTEMPT_MS,
    });
    this.#socket = socket;
    this.#answers = new Map();
    let error = new AppError('DISCONNECTED');
    const limit = setTimeout(() => socket.terminate(), ATTEMPT_MS);
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      const text = data.toString('latin1');
      if (text.startsWith('0')) {
        socket.send(`40${JSON.stringify({ protocol: PROTOCOL_VERSION, token, deviceId })}`);
      } else if (text === '2') socket.send('3');
      else if (text.startsWith('40')) {
        this.#attempt = 0;
        clearTimeout(limit);
        this.enteredAt.push(performance.now());
        void this.#serve();
      } else if (text.startsWith('44')) {
        this.refused += 1;
        const { data: body } = JSON.parse(text.slice(2)) as { data: ErrorBody };
        error = AppError.fromBody(body);
        socket.terminate();
      } else if (text.startsWith('43')) {
        const from = text.indexOf('[');
        const [answer] = JSON.parse(text.slice(from)) as [Answer];
        this.#answers.get(Number(text.slice(2, from)))?.(answer);
      }
    });
    socket.on('close', () => {
      clearTimeout(limit);
      if (this.#isClosed) return;
      if (this.#attempt === 0) this.#lostAt = performance.now();
      this.#attempt += 1;
      const elapsedMs = performance.now() - this.#lostAt;
      const delayMs = defaultReconnectPolicy.connectionDelayMs({ attempt: this.#attempt, elapsedMs, error });
      this.#timer = setTimeout(() => this.connect(), atLeastAsAsked(delayMs ?? 0, error));
    });
  }

  /** Asks for something; rejects with the code of a refusal. Never settles when the connection is lost before. */
  async request(name: string, payload: object): Promise<unknown> {
    const id = this.#asked++;
    const answered = new Promise<Answer>((resolve) => this.#answers.set(id, resolve));
    this.#socket?.send(`42${id}${JSON.stringify([name, payload])}`);
    const answer = await answered;
    if (!answer.ok) throw new Error(`${name}: ${answer.error.code}`);
    return answer.data;
  }

  /** Takes the seat that was answered, and again whenever it comes back. */
  async join(callId: string): Promise<void> {
    this.#seat = { callId, resumeTicket: null };
    await this.#joinAgain(this.#seat);
  }

  /** What an app asks for first. */
  async #serve(): Promise<void> {
    const { consultationId } = this.#options;
    const asked = [
      this.request('consultation.watch', { consultationId }),
      this.request('consultation.list', {}),
    ];
    if (this.#seat !== null) asked.push(this.#joinAgain(this.#seat));
    await Promise.all(asked);
    this.servedAt.push(performance.now());
    this.onServed();
  }

  async #joinAgain({ callId, resumeTicket }: Seat): Promise<void> {
    const { consultationId } = this.#options;
    const payload = { consultationId, callId, ...(resumeTicket !== null && { resumeTicket }) };
    const answer = (await this.request('seat.join', payload)) as { resumeTicket: string };
    this.#seat = { callId, resumeTicket: answer.resumeTicket };
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#socket?.terminate();
  }
}
