import { randomInt } from 'node:crypto';
import { decodeG711, encodeG711, type G711Codec, SAMPLE_RATE } from './g711.ts';
import { isVoice, loudnessOf } from './loudness.ts';
import { readRtp, writeRtp } from './rtp-packet.ts';

/** The id of RFC 6464's extension in what goes into the room: without it nobody could tell that the person on the phone speaks. */
export const LEVEL_EXTENSION_ID = 1;

/** The longest packet that is taken: 120 ms. */
const LONGEST_PAYLOAD = 960;

/** Further away than this is no loss and no disorder: the sender counts anew. */
const SEQUENCE_JUMP = 500;
const TIMESTAMP_JUMP = 30 * SAMPLE_RATE;

/** How far the numbers of the room are ahead of those of the telephone's stream. */
interface Shift {
  readonly sequence: number;
  readonly timestamp: number;
}

/**
 * What the room hears of the phone: the same sound in packets of our own, with an SSRC that is known beforehand, in the
 * codec that the room was told, and with its loudness written on it. Losses stay losses.
 */
export class PhoneSound {
  readonly ssrc = randomInt(1, 0xffff_ffff);
  readonly #codec: G711Codec;
  readonly #from: number;
  readonly #decoded = new Int16Array(LONGEST_PAYLOAD);
  readonly #encoded = new Uint8Array(LONGEST_PAYLOAD);
  #shift: Shift | null = null;
  /** What was sent last, and when, in milliseconds of a monotonic clock. */
  #last = { sequence: randomInt(0x1_0000), timestamp: randomInt(0xffff_ffff), samples: 0, at: 0 };
  #dropped = 0;

  /** @param from the SSRC of the phone's stream; any other is not heard */
  constructor(codec: G711Codec, from: number) {
    this.#codec = codec;
    this.#from = from;
  }

  /** Packets of another SSRC, malformed, or of another kind than G.711. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Null: nothing of it is for the room. */
  pass(datagram: Uint8Array, now: number): Uint8Array | null {
    const packet = readRtp(datagram);
    const codec = packet === null ? null : g711(packet.payloadType);
    if (packet === null || packet.ssrc !== this.#from || codec === null) return this.#drop();
    const { byteLength: length } = packet.payload;
    if (length > LONGEST_PAYLOAD) return this.#drop();
    const sound = this.#decoded.subarray(0, length);
    decodeG711(codec, packet.payload, sound);
    let { payload } = packet;
    if (codec !== this.#codec) {
      payload = this.#encoded.subarray(0, length);
      encodeG711(this.#codec, sound, payload);
    }
    const { shift, isNew } = this.#shiftOf(packet, now);
    const sequence = (packet.sequence + shift.sequence) & 0xffff;
    const timestamp = (packet.timestamp + shift.timestamp) >>> 0;
    this.#remember({ sequence, timestamp, samples: length, at: now });
    const dbov = loudnessOf(sound);
    return writeRtp(
      {
        payloadType: this.#codec,
        marker: packet.marker || isNew,
        sequence,
        timestamp,
        ssrc: this.ssrc,
        payload,
      },
      { id: LEVEL_EXTENSION_ID, dbov, isVoice: isVoice(dbov) },
    );
  }

  #shiftOf(
    packet: { readonly sequence: number; readonly timestamp: number },
    now: number,
  ): { readonly shift: Shift; readonly isNew: boolean } {
    const former = this.#shift;
    const last = this.#last;
    if (former !== null) {
      const steps = signed16(packet.sequence + former.sequence - last.sequence);
      const ticks = (packet.timestamp + former.timestamp - last.timestamp) | 0;
      if (Math.abs(steps) <= SEQUENCE_JUMP && Math.abs(ticks) <= TIMESTAMP_JUMP)
        return { shift: former, isNew: false };
    }
    // What follows goes on behind what was sent, as much later as it came.
    const pauseMs = former === null ? 0 : now - last.at;
    const ticks = Math.max(last.samples, Math.round((pauseMs * SAMPLE_RATE) / 1_000));
    const shift = {
      sequence: last.sequence + 1 - packet.sequence,
      timestamp: last.timestamp + ticks - packet.timestamp,
    };
    this.#shift = shift;
    return { shift, isNew: true };
  }

  /** Only the newest counts: one that was overtaken is no beginning. */
  #remember(sent: { sequence: number; timestamp: number; samples: number; at: number }): void {
    if (signed16(sent.sequence - this.#last.sequence) > 0) this.#last = sent;
  }

  #drop(): null {
    this.#dropped += 1;
    return null;
  }
}

function g711(payloadType: number): G711Codec | null {
  return payloadType === 0 || payloadType === 8 ? payloadType : null;
}

function signed16(value: number): number {
  return (value << 16) >> 16;
}
