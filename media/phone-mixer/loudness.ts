/** The louder of the noises that a telephone line makes by itself, in dBov. */
const VOICE_DBOV = -45;
const SILENCE_DBOV = -127;

/** How loud these samples are, in dBov (RFC 6464 §3: 0 is the loudest, -127 silence). */
export function loudnessOf(samples: Int16Array): number {
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  if (energy === 0) return SILENCE_DBOV;
  const dbov = 10 * Math.log10(energy / samples.length / 32_768 ** 2);
  return Math.max(SILENCE_DBOV, Math.min(0, dbov));
}

/** Whether it may be somebody who speaks. */
export const isVoice = (dbov: number): boolean => dbov > VOICE_DBOV;
