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
/** What an app asks for first. */
const FIRST_REQUESTS = 2;

export class LightDevice {
  readonly #options: LightDeviceOptions;
  #socket: WebSocket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #attempt = 0;
  #lostAt = 0;
  #isClosed = false;
  readonly enteredAt: number[] = [];
  readonly servedAt: number[] = [];
  refused = 0;
  /** Called when it is served. */
  onServed: () => void = () => {};

  constructor(options: LightDeviceOptions) {
    this.#options = options;
  }

  connect(): void {
    const { origin, token, deviceId, consultationId } = this.#options;
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, {
      perMessageDeflate: false,
      handshakeTimeout: ATTEMPT_MS,
    });
    this.#socket = socket;
    let answers = 0;
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
        socket.send(`420${JSON.stringify(['consultation.watch', { consultationId }])}`);
        socket.send(`421${JSON.stringify(['consultation.list', {}])}`);
      } else if (text.startsWith('44')) {
        this.refused += 1;
        const { data: body } = JSON.parse(text.slice(2)) as { data: ErrorBody };
        error = AppError.fromBody(body);
        socket.terminate();
      } else if (text.startsWith('43')) {
        answers += 1;
        if (!text.includes('"ok":true')) throw new Error(text.slice(0, 200));
        if (answers !== FIRST_REQUESTS) return;
        this.servedAt.push(performance.now());
        this.onServed();
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

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#socket?.terminate();
  }
}
