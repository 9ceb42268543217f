import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Endpoint, LineOpened, LineSettings, LineStatistics } from './messages.ts';
import { PhoneSound } from './phone-sound.ts';
import { RoomSound } from './room-sound.ts';
import { isRtcp } from './rtp-packet.ts';

const LOOPBACK = '127.0.0.1';

/** Half a second of eight voices. The system may grant less. */
const SOCKET_BUFFER_BYTES = 256 * 1024;

/** Voices that one telephone hears: more people than a call has. */
const MOST_VOICES = 16;

export interface LineListeners {
  readonly onFirstPacket: () => void;
  readonly onFailed: () => void;
}

/** One telephone and one room: a socket for each, and nothing of what either of them says goes through unread. */
export class PhoneLine {
  readonly opened: LineOpened;
  readonly #remote: Endpoint;
  readonly #phoneSocket: Socket;
  readonly #roomSocket: Socket;
  readonly #phoneSound: PhoneSound;
  readonly #roomSound: RoomSound;
  readonly #listeners: LineListeners;
  #room: Endpoint | null = null;
  #fromPhone = 0;
  #toPhone = 0;
  #strangers = 0;
  #closed = false;

  static async open(settings: LineSettings, listeners: LineListeners): Promise<PhoneLine> {
    const phone = await boundSocket();
    try {
      return new PhoneLine(settings, listeners, { phone, room: await boundSocket() });
    } catch (error) {
      phone.close();
      throw error;
    }
  }

  private constructor(
    { lineId, codec, remote, ssrc }: LineSettings,
    listeners: LineListeners,
    sockets: { readonly phone: Socket; readonly room: Socket },
  ) {
    this.#remote = remote;
    this.#listeners = listeners;
    this.#phoneSocket = sockets.phone;
    this.#roomSocket = sockets.room;
    this.#phoneSound = new PhoneSound(codec, ssrc);
    this.#roomSound = new RoomSound(codec, MOST_VOICES);
    this.opened = {
      lineId,
      phone: { host: LOOPBACK, port: sockets.phone.address().port, ssrc: this.#roomSound.ssrc },
      room: { host: LOOPBACK, port: sockets.room.address().port, ssrc: this.#phoneSound.ssrc },
    };
    sockets.phone.on('message', (datagram, from) => this.#orFail(() => this.#fromTelephone(datagram, from)));
    sockets.room.on('message', (datagram, from) => this.#orFail(() => this.#fromRoom(datagram, from)));
    for (const socket of [sockets.phone, sockets.room]) socket.on('error', () => this.#fail());
  }

  connect(room: Endpoint): void {
    this.#room = room;
  }

  addVoice(...voice: Parameters<RoomSound['add']>): void {
    this.#roomSound.add(...voice);
  }

  removeVoice(ssrc: number): void {
    this.#roomSound.remove(ssrc);
  }

  /** Called each 20 ms. `missed`: so many times it could not be called. */
  tick(missed: number): void {
    if (this.#room === null || this.#closed) return;
    this.#orFail(() => {
      if (missed > 0) this.#roomSound.skip(missed);
      this.#send(this.#phoneSocket, this.#roomSound.next(), this.#remote);
      this.#toPhone += 1;
    });
  }

  get statistics(): LineStatistics {
    return {
      fromPhone: this.#fromPhone,
      toPhone: this.#toPhone,
      dropped: this.#strangers + this.#phoneSound.dropped + this.#roomSound.dropped,
      voices: this.#roomSound.voices,
    };
  }

  /** May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#phoneSocket.close();
    this.#roomSocket.close();
  }

  #fromTelephone(datagram: Uint8Array, from: RemoteInfo): void {
    if (!isFrom(from, this.#remote)) return this.#turnAway();
    if (this.#room === null || this.#closed) return;
    const packet = this.#phoneSound.pass(datagram, performance.now());
    if (packet === null) return;
    this.#send(this.#roomSocket, packet, this.#room);
    this.#fromPhone += 1;
    if (this.#fromPhone === 1) this.#listeners.onFirstPacket();
  }

  #fromRoom(datagram: Uint8Array, from: RemoteInfo): void {
    if (this.#room === null || !isFrom(from, this.#room)) return this.#turnAway();
    // The worker's reports of what it sends are of no use here.
    if (!isRtcp(datagram)) this.#roomSound.take(datagram);
  }

  /** Whoever else is on this machine does not speak in the call. */
  #turnAway(): void {
    this.#strangers += 1;
  }

  #send(socket: Socket, datagram: Uint8Array, to: Endpoint): void {
    // One packet that the kernel has no room for is a lost packet.
    socket.send(datagram, to.port, to.host, () => undefined);
  }

  /** A fault of one line ends that line; thrown further, it would end the thread and all telephones with it. */
  #orFail(task: () => void): void {
    try {
      task();
    } catch {
      this.#fail();
    }
  }

  #fail(): void {
    if (this.#closed) return;
    this.close();
    this.#listeners.onFailed();
  }
}

function isFrom({ address, port }: RemoteInfo, endpoint: Endpoint): boolean {
  return port === endpoint.port && address === endpoint.host;
}

async function boundSocket(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: SOCKET_BUFFER_BYTES });
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  return socket;
}
