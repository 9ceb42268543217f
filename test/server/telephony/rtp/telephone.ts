/** A telephone with real sockets: it sends tones, digits and whatever a test makes, and keeps what it is sent. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { A_LAW_SAMPLES, MU_LAW_SAMPLES, toALaw, toMuLaw } from '@teleconsult/server/telephony/rtp/g711';
import type { G711, LegRemote } from '@teleconsult/server/telephony/rtp/ports';
import { type RtpPacket, readRtp } from '@teleconsult/server/telephony/rtp/rtp-packet';

export const FRAME = 160;

export interface Arrived {
  readonly at: number;
  readonly datagram: Buffer;
  readonly packet: RtpPacket;
}

/** What a packet is made of; the rest is as a decent telephone has it. */
export interface Made {
  readonly payloadType?: number;
  readonly marker?: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Uint8Array;
  /** Contributing sources, an extension and padding with canaries in them. */
  readonly trimmings?: Buffer;
}

export function rtp(made: Made): Buffer {
  const { payloadType = 8, marker = false, sequence, timestamp, ssrc, payload, trimmings } = made;
  const header = Buffer.alloc(12);
  header[0] = trimmings === undefined ? 0x80 : 0x80 | 0x20 | 0x10 | 2;
  header[1] = payloadType | (marker ? 0x80 : 0);
  header.writeUInt16BE(sequence & 0xffff, 2);
  header.writeUInt32BE(timestamp >>> 0, 4);
  header.writeUInt32BE(ssrc >>> 0, 8);
  if (trimmings === undefined) return Buffer.concat([header, payload]);
  const extra = Buffer.concat([trimmings, Buffer.alloc((4 - (trimmings.length % 4)) % 4)]);
  const sources = Buffer.from('CSRCCSRC');
  const extension = Buffer.from([0xbe, 0xde, 0, extra.length / 4]);
  const padding = Buffer.concat([extra, Buffer.alloc(4)]);
  padding[padding.length - 1] = padding.length;
  return Buffer.concat([header, sources, extension, extra, payload, padding]);
}

export class Telephone implements AsyncDisposable {
  readonly host: string;
  readonly arrived: Arrived[] = [];
  /** Everything that came, to either port, RTP or not. */
  readonly datagrams: Buffer[] = [];
  readonly #sound: Socket;
  readonly #control: Socket;
  #sequence = 65_500;
  #timestamp = 4_294_960_000;
  #samples = 0;
  ssrc = 0x13800001;

  static async at(host: string, port = 0): Promise<Telephone> {
    const sound = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
    const control = createSocket('udp4');
    sound.bind(port, host);
    control.bind(0, host);
    await Promise.all([once(sound, 'listening'), once(control, 'listening')]);
    return new Telephone(host, sound, control);
  }

  private constructor(host: string, sound: Socket, control: Socket) {
    this.host = host;
    this.#sound = sound;
    this.#control = control;
    sound.on('message', (datagram) => {
      this.datagrams.push(datagram);
      const packet = readRtp(datagram);
      if (packet !== null) this.arrived.push({ at: performance.now(), datagram, packet });
    });
    control.on('message', (datagram) => this.datagrams.push(datagram));
  }

  get port(): number {
    return this.#sound.address().port;
  }

  remote(given: Partial<LegRemote> = {}): LegRemote {
    return { host: this.host, port: this.port, codec: 8, telephoneEvent: 101, direction: 'both', ...given };
  }

  sendRaw(datagram: Uint8Array, port: number, host: string): void {
    this.#sound.send(datagram, port, host);
  }

  /** So many frames of a tone, numbered on from the last, as quickly as the kernel takes them in turn. */
  async tone(
    to: { port: number; host: string },
    {
      frequency,
      frames,
      law = 8,
      everyMs = 1,
    }: { frequency: number; frames: number; law?: G711; everyMs?: number },
  ): Promise<void> {
    const startedAt = performance.now();
    for (let frame = 0; frame < frames; frame += 1) {
      this.frame(to, { payload: this.toneFrame(frequency, law), payloadType: law });
      const early = startedAt + (frame + 1) * everyMs - performance.now();
      if (early > 0) await wait(early);
    }
  }

  /** One packet, numbered on from the last. */
  frame(to: { port: number; host: string }, made: Partial<Made> & { payload: Uint8Array }): void {
    const { sequence = this.#sequence, timestamp = this.#timestamp, ssrc = this.ssrc } = made;
    this.#sequence = (sequence + 1) & 0xffff;
    this.#timestamp = (timestamp + FRAME) >>> 0;
    this.sendRaw(rtp({ ...made, sequence, timestamp, ssrc }), to.port, to.host);
  }

  /** As a telephone that was restarted: all numbers are others. */
  renumber(sequence: number, timestamp: number, ssrc = this.ssrc): void {
    this.#sequence = sequence;
    this.#timestamp = timestamp;
    this.ssrc = ssrc;
  }

  get numbers(): { sequence: number; timestamp: number } {
    return { sequence: this.#sequence, timestamp: this.#timestamp };
  }

  toneFrame(frequency: number, law: G711): Uint8Array {
    const encode = law === 8 ? toALaw : toMuLaw;
    const from = this.#samples;
    this.#samples += FRAME;
    return Uint8Array.from({ length: FRAME }, (_, index) => encode(sine(frequency, from + index)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = Promise.all([once(this.#sound, 'close'), once(this.#control, 'close')]);
    this.#sound.close();
    this.#control.close();
    await closed;
  }
}

const AMPLITUDE = 8_000;
const sine = (frequency: number, sample: number): number =>
  Math.round(AMPLITUDE * Math.sin((2 * Math.PI * frequency * sample) / 8_000));

/** A second of a tone as A-law. */
export const toneOf = (frequency: number, ms: number): Uint8Array =>
  Uint8Array.from({ length: ms * 8 }, (_, sample) => toALaw(sine(frequency, sample)));

/** How much of this frequency is in it, 1 being the whole of a tone as `tone` sends it (Goertzel). */
export function levelOf(frequency: number, sound: Uint8Array, law: G711 = 8): number {
  const samples = law === 8 ? A_LAW_SAMPLES : MU_LAW_SAMPLES;
  const step = 2 * Math.cos((2 * Math.PI * frequency) / 8_000);
  let one = 0;
  let two = 0;
  for (const byte of sound) {
    const zero = (samples[byte] ?? 0) + step * one - two;
    two = one;
    one = zero;
  }
  const power = one * one + two * two - step * one * two;
  return sound.length === 0 ? 0 : (2 * Math.sqrt(Math.max(0, power))) / (sound.length * AMPLITUDE);
}

/** For how many milliseconds this frequency is in it, at half its level and more. */
export function msOf(frequency: number, sound: Uint8Array): number {
  let windows = 0;
  for (let start = 0; start + 80 <= sound.length; start += 80) {
    if (levelOf(frequency, sound.subarray(start, start + 80)) > 0.5) windows += 1;
  }
  return windows * 10;
}

export const soundOf = (arrived: readonly Arrived[]): Uint8Array =>
  Buffer.concat(arrived.map(({ packet }) => packet.payload));

/** The two sides of a stereo recording. */
export function sidesOf(recording: Uint8Array): { left: Uint8Array; right: Uint8Array } {
  const side = (from: number): Uint8Array => {
    const samples = new Uint8Array(recording.length >> 1);
    for (let at = 0; at < samples.length; at += 1) samples[at] = recording[2 * at + from] ?? 0;
    return samples;
  };
  return { left: side(0), right: side(1) };
}
