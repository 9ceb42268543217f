/** Tones as telephones send them, and how they are found again in what a telephone hears. */
import { encodeG711, type G711Codec, SAMPLE_RATE } from '../../media/phone-mixer/g711.ts';
import { BEEP_INTERVAL_MS, type MadeTrack } from '../helpers/tones.ts';

const FRAME = 160;
const BEEP_SAMPLES = SAMPLE_RATE / 10;

/** A tone of this pitch, half as loud as can be; gated, it beeps for a tenth of a second twice a second. */
export function g711Tone(
  hertz: number,
  {
    seconds,
    gated = false,
    codec = 8,
    level = 0.5,
  }: { seconds: number; gated?: boolean; codec?: G711Codec; level?: number },
): MadeTrack {
  const interval = (BEEP_INTERVAL_MS * SAMPLE_RATE) / 1_000;
  const packets = Array.from({ length: seconds * 50 }, (_, index) => {
    const samples = Int16Array.from({ length: FRAME }, (_unused, offset) => {
      const at = index * FRAME + offset;
      if (gated && at % interval >= BEEP_SAMPLES) return 0;
      return Math.round(level * 32_767 * Math.sin((2 * Math.PI * hertz * at) / SAMPLE_RATE));
    });
    const payload = Buffer.alloc(FRAME);
    encodeG711(codec, samples, payload);
    return { ticks: index * FRAME, marker: index === 0, payload };
  });
  return { mimeType: codec === 8 ? 'audio/PCMA' : 'audio/PCMU', clockRate: SAMPLE_RATE, packets };
}

/** How loud a pitch is in these samples, 1 being a tone as loud as can be (Goertzel 1958). */
export function levelAt(samples: Int16Array, hertz: number): number {
  if (samples.length === 0) return 0;
  const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / SAMPLE_RATE);
  let last = 0;
  let before = 0;
  for (const sample of samples) {
    const next = sample / 32_768 + coefficient * last - before;
    before = last;
    last = next;
  }
  const power = last * last + before * before - coefficient * last * before;
  return (2 * Math.sqrt(Math.max(0, power))) / samples.length;
}

/** The loudest sample, 1 being as loud as can be. */
export function peakOf(samples: Int16Array): number {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return peak / 32_768;
}
