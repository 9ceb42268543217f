import { randomInt } from 'node:crypto';
import { decodeG711, encodeG711, type G711Codec } from './g711.ts';
import { FRAME_SAMPLES, JitterBuffer } from './jitter-buffer.ts';
import { Mix } from './mix.ts';
import { readRtp, writeRtp } from './rtp-packet.ts';

/** The longest packet that is taken: 120 ms. */
const LONGEST_PAYLOAD = 6 * FRAME_SAMPLES;

interface Voice {
  readonly codec: G711Codec;
  readonly buffer: JitterBuffer;
}

/**
 * What the person on the phone hears: the voices of the room, each put in order by itself, added to one stream that never
 * breaks off. It is built here from the first byte on: own SSRC, sequence, time stamps.
 */
export class RoomSound {
  readonly ssrc = randomInt(1, 0xffff_ffff);
  readonly #codec: G711Codec;
  readonly #mostVoices: number;
  /** By SSRC. */
  readonly #voices = new Map<number, Voice>();
  readonly #mix = new Mix();
  readonly #frame = new Int16Array(FRAME_SAMPLES);
  readonly #decoded = new Int16Array(LONGEST_PAYLOAD);
  readonly #encoded = new Uint8Array(FRAME_SAMPLES);
  #sequence = randomInt(0x1_0000);
  #timestamp = randomInt(0xffff_ffff);
  #isFirst = true;
  #dropped = 0;

  constructor(codec: G711Codec, mostVoices: number) {
    this.#codec = codec;
    this.#mostVoices = mostVoices;
  }

  /** Packets that were of no known voice, malformed or too late. */
  get dropped(): number {
    return this.#dropped;
  }

  get voices(): number {
    return this.#voices.size;
  }

  /** False: there are as many as can be. */
  add(ssrc: number, codec: G711Codec): boolean {
    if (!this.#voices.has(ssrc) && this.#voices.size >= this.#mostVoices) return false;
    this.#voices.set(ssrc, { codec, buffer: new JitterBuffer() });
    return true;
  }

  remove(ssrc: number): void {
    this.#voices.delete(ssrc);
  }

  take(datagram: Uint8Array): void {
    const packet = readRtp(datagram);
    const voice = packet === null ? undefined : this.#voices.get(packet.ssrc);
    const length = packet?.payload.byteLength ?? 0;
    if (packet === null || voice?.codec !== packet.payloadType || length > LONGEST_PAYLOAD) {
      this.#dropped += 1;
      return;
    }
    const sound = this.#decoded.subarray(0, length);
    decodeG711(voice.codec, packet.payload, sound);
    if (!voice.buffer.push(packet.timestamp, sound)) this.#dropped += 1;
  }

  /** The packet of the next 20 ms. Silence is sent, too: a line on which nothing comes looks broken. */
  next(): Uint8Array {
    for (const { buffer } of this.#voices.values()) if (buffer.pull(this.#frame)) this.#mix.add(this.#frame);
    this.#mix.take(this.#frame);
    encodeG711(this.#codec, this.#frame, this.#encoded);
    const datagram = writeRtp({
      payloadType: this.#codec,
      marker: this.#isFirst,
      sequence: this.#sequence,
      timestamp: this.#timestamp,
      ssrc: this.ssrc,
      payload: this.#encoded,
    });
    this.#isFirst = false;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + FRAME_SAMPLES) >>> 0;
    return datagram;
  }

  /** The thread stood still for so many frames; what would have been said then is not said late. */
  skip(frames: number): void {
    for (let count = 0; count < frames; count += 1)
      for (const { buffer } of this.#voices.values()) buffer.pull(this.#frame);
    this.#timestamp = (this.#timestamp + frames * FRAME_SAMPLES) >>> 0;
  }
}
