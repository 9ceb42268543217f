/** How loud telephone sound is, as far as a check needs it. */
import { A_LAW_SAMPLES, SAMPLE_RATE } from '../rtp/g711.ts';

/** Stretches of 20 ms quieter than this are pauses. */
const PAUSE_DB = -45;
const STRETCH = SAMPLE_RATE / 50;

/** Level of the speech in A-law sound in dB of full scale, pauses left out; -Infinity where there is none. */
export function speechLevel(sound: Uint8Array): number {
  let power = 0;
  let stretches = 0;
  for (let start = 0; start + STRETCH <= sound.length; start += STRETCH) {
    let energy = 0;
    for (let index = start; index < start + STRETCH; index += 1) {
      energy += ((A_LAW_SAMPLES[sound[index] ?? 0] ?? 0) / 32_768) ** 2;
    }
    const mean = energy / STRETCH;
    if (10 * Math.log10(mean) < PAUSE_DB) continue;
    power += mean;
    stretches += 1;
  }
  return stretches === 0 ? Number.NEGATIVE_INFINITY : 10 * Math.log10(power / stretches);
}
