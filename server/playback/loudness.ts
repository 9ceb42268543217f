import type { Waveform } from '@teleconsult/protocol';

/** The finest step. Who spoke when is read off it. */
const STEP_MS = 100;
/** Twenty minutes at the finest step; longer sound has coarser ones, so that a waveform has a bounded size. */
const MAX_PEAKS = 12_000;
const FULL_SCALE = 32_767;

/** Measures the loudness of sound of any length as it passes by, in bounded memory. */
export class LoudnessMeter {
  readonly #sampleRate: number;
  #stepMs = STEP_MS;
  #peaks: number[] = [];
  #samples = 0;
  /** Of the step under way. */
  #loudest = 0;
  #inStep = 0;
  /** The first half of a sample whose second half is still to come. */
  #half: number | null = null;

  /** @param sampleRate samples a second, a multiple of ten */
  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
  }

  /** Takes the next bytes: samples of 16 bits, signed, little endian, one channel. They may be cut anywhere. */
  push(bytes: Buffer): void {
    let at = 0;
    if (this.#half !== null && bytes.byteLength > 0) {
      const low = this.#half;
      this.#half = null;
      this.sample(((low | (bytes.readUInt8(0) << 8)) << 16) >> 16);
      at = 1;
    }
    const end = at + ((bytes.byteLength - at) & ~1);
    for (; at < end; at += 2) this.sample(bytes.readInt16LE(at));
    if (at < bytes.byteLength) this.#half = bytes.readUInt8(at);
  }

  /** One sample on the scale of 16 bits. */
  sample(value: number): void {
    this.#samples += 1;
    this.#inStep += 1;
    const loudness = value < 0 ? -value : value;
    if (loudness > this.#loudest) this.#loudest = loudness;
    if (this.#inStep < (this.#sampleRate * this.#stepMs) / 1_000) return;
    this.#peaks.push(this.#loudest);
    this.#loudest = 0;
    this.#inStep = 0;
    if (this.#peaks.length === MAX_PEAKS) this.#coarsen();
  }

  get durationMs(): number {
    return Math.round((this.#samples * 1_000) / this.#sampleRate);
  }

  waveform(): Waveform {
    const peaks = this.#inStep === 0 ? this.#peaks : [...this.#peaks, this.#loudest];
    return {
      stepMs: this.#stepMs,
      peaks: peaks.map((peak) => Math.min(100, Math.round((peak / FULL_SCALE) * 100))),
    };
  }

  #coarsen(): void {
    const coarse: number[] = [];
    for (let index = 0; index < this.#peaks.length; index += 2)
      coarse.push(Math.max(this.#peaks[index] ?? 0, this.#peaks[index + 1] ?? 0));
    this.#peaks = coarse;
    this.#stepMs *= 2;
  }
}
