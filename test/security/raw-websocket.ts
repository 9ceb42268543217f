import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { PROTOCOL_VERSION } from '@teleconsult/protocol';
import { eventually } from '../helpers/eventually.ts';

export interface Frame {
  readonly payload: string | Uint8Array;
  /** 1 text, 2 binary, 0 continues the frame before (RFC 6455 §5.2). Text unless given. */
  readonly opcode?: number;
  /** False: more fragments follow. */
  readonly final?: boolean;
  /** True: the payload is compressed (RFC 7692). */
  readonly compressed?: boolean;
  /** Announced length, where it is not that of the payload. */
  readonly announcedBytes?: bigint;
}

/** A WebSocket by hand, for frames that no library would send. */
export class RawWebSocket implements AsyncDisposable {
  /** What the server agreed to of the extensions that were offered. */
  readonly extensions: string;
  /** Texts received so far. */
  readonly texts: string[] = [];
  closed = false;
  readonly #socket: Socket;
  #unread = Buffer.alloc(0);

  private constructor(socket: Socket, extensions: string) {
    this.#socket = socket;
    this.extensions = extensions;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    // A server that refuses a frame may reset the connection.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
    });
  }

  /** Opens a Socket.IO connection's WebSocket and offers compression. */
  static async open(origin: string): Promise<RawWebSocket> {
    const upgrade = request(`${origin}/socket.io/?EIO=4&transport=websocket`, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
        'sec-websocket-extensions': 'permessage-deflate; server_no_context_takeover',
      },
    });
    upgrade.end();
    const [response, socket, head] = (await once(upgrade, 'upgrade')) as [
      { headers: Record<string, string | undefined> },
      Socket,
      Buffer,
    ];
    const opened = new RawWebSocket(socket, response.headers['sec-websocket-extensions'] ?? '');
    opened.#read(head);
    return opened;
  }

  /** Presents a token and waits until the server has let this device in. */
  async enter(token: string): Promise<void> {
    const deviceId = `device-${randomBytes(8).toString('hex')}`;
    this.send({ payload: `40${JSON.stringify({ protocol: PROTOCOL_VERSION, token, deviceId })}` });
    await this.text(/^40/);
  }

  /** The first text that fits. */
  text(pattern: RegExp): Promise<string> {
    return eventually(`a text ${pattern}`, () => this.texts.find((text) => pattern.test(text)), {
      lastSeen: () => this.texts.map((text) => text.slice(0, 80)),
    });
  }

  send({ payload, opcode = 1, final = true, compressed = false, announcedBytes }: Frame): void {
    if (this.closed) return;
    const bytes = Buffer.from(payload as string);
    const mask = randomBytes(4);
    const header = Buffer.alloc(10);
    header.writeUInt8((final ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode, 0);
    const length = announcedBytes ?? BigInt(bytes.byteLength);
    let headerBytes: number;
    if (length < 126n) headerBytes = header.writeUInt8(0x80 | Number(length), 1);
    else if (length < 65_536n) {
      header.writeUInt8(0x80 | 126, 1);
      headerBytes = header.writeUInt16BE(Number(length), 2);
    } else {
      header.writeUInt8(0x80 | 127, 1);
      headerBytes = header.writeBigUInt64BE(length, 2);
    }
    const masked = bytes.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
    this.#socket.write(Buffer.concat([header.subarray(0, headerBytes), mask, masked]));
  }

  /** Hangs up after everything written has been sent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.end();
    await eventually('the socket to be closed', () => this.#socket.closed);
  }

  /** The server's frames are never masked, never fragmented, and short here. */
  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    while (this.#unread.length >= 2) {
      const first = this.#unread.readUInt8(0);
      const opcode = first & 0x0f;
      const short = this.#unread.readUInt8(1);
      const start = short < 126 ? 2 : 4;
      if (this.#unread.length < start) return;
      const end = start + (short < 126 ? short : this.#unread.readUInt16BE(2));
      if (this.#unread.length < end) return;
      const payload = this.#unread.subarray(start, end);
      this.#unread = this.#unread.subarray(end);
      if (opcode === 1) this.texts.push((first & 0x40 ? inflated(payload) : payload).toString());
      // A close frame: the server hangs up when it is echoed or after a while; for the test it has hung up.
      if (opcode === 8) this.closed = true;
    }
  }
}

const inflated = (payload: Buffer): Buffer =>
  inflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH });

/** As one message of the extension is compressed (RFC 7692 §7.2.1). */
export const deflated = (text: string): Buffer =>
  deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
