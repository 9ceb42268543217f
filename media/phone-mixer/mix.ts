import { FRAME_SAMPLES } from './jitter-buffer.ts';

/** A little below the largest sample there is. */
const CEILING = 32_000;

/** How fast the loudness comes back after several spoke at once: in about a second. */
const RECOVERY = 1.05;

/**
 * Adds voices to one. Where several speak so loudly at once that their sum has no room, all are made quieter together, and
 * over one frame, so that neither crackles.
 */
export class Mix {
  readonly #sum = new Int32Array(FRAME_SAMPLES);
  #gain = 1;
  #isEmpty = true;

  add(frame: Int16Array): void {
    for (let index = 0; index < FRAME_SAMPLES; index += 1)
      this.#sum[index] = (this.#sum[index] ?? 0) + (frame[index] ?? 0);
    this.#isEmpty = false;
  }

  /** Writes what was added since the last time; silence when nothing was. */
  take(frame: Int16Array): void {
    if (this.#isEmpty) {
      frame.fill(0);
      this.#gain = 1;
      return;
    }
    let peak = 1;
    for (const sample of this.#sum) peak = Math.max(peak, Math.abs(sample));
    const from = this.#gain;
    const to = Math.min(1, from * RECOVERY, CEILING / peak);
    for (let index = 0; index < FRAME_SAMPLES; index += 1) {
      const gain = from + ((to - from) * index) / FRAME_SAMPLES;
      const sample = Math.round((this.#sum[index] ?? 0) * gain);
      // While the gain comes down a sample may still be too large.
      frame[index] = Math.max(-CEILING, Math.min(CEILING, sample));
    }
    this.#gain = to;
    this.#sum.fill(0);
    this.#isEmpty = true;
  }
}
