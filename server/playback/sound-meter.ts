import type { Waveform } from '@teleconsult/protocol';
import { momentBytes, type SampleFormat } from '../recordings/sample-format.ts';
import { LoudnessMeter } from './loudness.ts';

/** Measures the loudness of each channel of samples as they pass by, in bounded memory. */
export class SoundMeter {
  readonly #format: SampleFormat;
  readonly #meters: readonly LoudnessMeter[];
  readonly #valueAt: (bytes: Buffer, at: number) => number;
  /** What was cut off of a moment whose rest is still to come. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(format: SampleFormat) {
    this.#format = format;
    this.#meters = Array.from({ length: format.channels }, () => new LoudnessMeter(format.rate));
    this.#valueAt = VALUE_AT[format.encoding];
  }

  /** Takes the next bytes, cut anywhere. */
  push(bytes: Uint8Array): void {
    const given = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const all = this.#rest.byteLength === 0 ? given : Buffer.concat([this.#rest, given]);
    const moment = momentBytes(this.#format);
    const end = all.byteLength - (all.byteLength % moment);
    const width = moment / this.#meters.length;
    for (const [index, meter] of this.#meters.entries())
      for (let at = index * width; at < end; at += moment) meter.sample(this.#valueAt(all, at));
    this.#rest = Buffer.from(all.subarray(end));
  }

  get durationMs(): number {
    return this.#meters[0]?.durationMs ?? 0;
  }

  /** Of each channel, left first. */
  channels(): readonly Waveform[] {
    return this.#meters.map((meter) => meter.waveform());
  }

  /** Of all that is heard: a step is as loud as the loudest channel. */
  waveform(): Waveform {
    const [first = { stepMs: 100, peaks: [] }, ...others] = this.channels();
    // Channels have the same length, and so the same steps.
    const peaks = first.peaks.map((peak, at) =>
      Math.max(peak, ...others.map((other) => other.peaks[at] ?? 0)),
    );
    return { stepMs: first.stepMs, peaks };
  }
}

/** ITU-T G.711, table 1a: even bits are inverted; a sign, three bits of segment, four of step. On the scale of 16 bits. */
function alawValue(byte: number): number {
  const code = byte ^ 0x55;
  const segment = (code & 0x70) >> 4;
  const step = (code & 0x0f) << 4;
  const size = segment === 0 ? step + 8 : (step + 0x108) << (segment - 1);
  return (code & 0x80) === 0 ? -size : size;
}

/** ITU-T G.711, table 2a: all bits are inverted. On the scale of 16 bits. */
function mulawValue(byte: number): number {
  const code = ~byte & 0xff;
  const size = ((((code & 0x0f) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84;
  return (code & 0x80) === 0 ? size : -size;
}

const table = (valueOf: (byte: number) => number): Int16Array =>
  Int16Array.from({ length: 256 }, (_, byte) => valueOf(byte));

const ALAW = table(alawValue);
const MULAW = table(mulawValue);

const VALUE_AT: Readonly<Record<SampleFormat['encoding'], (bytes: Buffer, at: number) => number>> = {
  alaw: (bytes, at) => ALAW[bytes[at] ?? 0] ?? 0,
  mulaw: (bytes, at) => MULAW[bytes[at] ?? 0] ?? 0,
  pcm: (bytes, at) => bytes.readInt16LE(at),
};
