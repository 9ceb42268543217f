import { SAMPLE_RATE, toALaw } from '../rtp/g711.ts';

/** The tone of a phone that rings at the other end (ITU-T E.180, as in China: 450 Hz, one second in five). */
const FREQUENCY = 450;
const TONE_MS = 1_000;
const PAUSE_MS = 4_000;
const AMPLITUDE = 4_000;

/** Five seconds, A-law. Not recorded speech: it is the same in every language. */
export const RINGBACK: Uint8Array = Uint8Array.from(
  { length: ((TONE_MS + PAUSE_MS) * SAMPLE_RATE) / 1_000 },
  (_, sample) =>
    toALaw(
      sample < (TONE_MS * SAMPLE_RATE) / 1_000
        ? Math.round(AMPLITUDE * Math.sin((2 * Math.PI * FREQUENCY * sample) / SAMPLE_RATE))
        : 0,
    ),
);
