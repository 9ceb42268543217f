/** The two laws of telephone sound (ITU-T G.711) and the tables between them. */
import type { G711 } from './ports.ts';

export const SAMPLE_RATE = 8_000;
export const SAMPLES_PER_MS = SAMPLE_RATE / 1_000;
/** RFC 3551: PCMU is 0, PCMA is 8. */
export const PCMU: G711 = 0;
export const PCMA: G711 = 8;
/** The quietest sample of A-law. */
export const A_LAW_SILENCE = 0xd5;

const A_LAW_SEGMENT_ENDS = [0x1f, 0x3f, 0x7f, 0xff, 0x1ff, 0x3ff, 0x7ff, 0xfff];
const MU_LAW_SEGMENT_ENDS = [0x3f, 0x7f, 0xff, 0x1ff, 0x3ff, 0x7ff, 0xfff, 0x1fff];
const MU_LAW_BIAS = 0x84;
const MU_LAW_CLIP = 8_159;

/** One sample, signed 16 bit, as A-law. */
export function toALaw(sample: number): number {
  const isNegative = sample < 0;
  const mask = isNegative ? 0x55 : 0xd5;
  const magnitude = isNegative ? -(sample >> 3) - 1 : sample >> 3;
  const segment = A_LAW_SEGMENT_ENDS.findIndex((end) => magnitude <= end);
  if (segment === -1) return 0x7f ^ mask;
  const step = segment < 2 ? (magnitude >> 1) & 0x0f : (magnitude >> segment) & 0x0f;
  return ((segment << 4) | step) ^ mask;
}

/** One sample, signed 16 bit, as µ-law. */
export function toMuLaw(sample: number): number {
  const isNegative = sample < 0;
  const mask = isNegative ? 0x7f : 0xff;
  const quarter = sample >> 2;
  const magnitude = Math.min(isNegative ? -quarter : quarter, MU_LAW_CLIP) + (MU_LAW_BIAS >> 2);
  const segment = MU_LAW_SEGMENT_ENDS.findIndex((end) => magnitude <= end);
  if (segment === -1) return 0x7f ^ mask;
  return ((segment << 4) | ((magnitude >> (segment + 1)) & 0x0f)) ^ mask;
}

/** A-law and µ-law as signed 16 bit samples. */
export const A_LAW_SAMPLES = Int16Array.from({ length: 256 }, (_, byte) => fromALaw(byte));
export const MU_LAW_SAMPLES = Int16Array.from({ length: 256 }, (_, byte) => fromMuLaw(byte));

const A_TO_MU = Uint8Array.from(A_LAW_SAMPLES, toMuLaw);
const MU_TO_A = Uint8Array.from(MU_LAW_SAMPLES, toALaw);

/** Writes sound of one law into `target` at `at` in another law. */
export function copySound(
  source: Uint8Array,
  { from, to, target, at }: { from: G711; to: G711; target: Uint8Array; at: number },
): void {
  if (from === to) {
    target.set(source, at);
    return;
  }
  const table = from === PCMA ? A_TO_MU : MU_TO_A;
  for (let index = 0; index < source.length; index += 1) {
    target[at + index] = table[source[index] ?? 0] ?? 0;
  }
}

function fromALaw(byte: number): number {
  const code = byte ^ 0x55;
  const segment = (code & 0x70) >> 4;
  const step = (code & 0x0f) << 4;
  const magnitude = segment === 0 ? step + 8 : (step + 0x108) << (segment - 1);
  return (code & 0x80) === 0 ? -magnitude : magnitude;
}

function fromMuLaw(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + MU_LAW_BIAS) << ((code & 0x70) >> 4)) - MU_LAW_BIAS;
  return (code & 0x80) === 0 ? magnitude : -magnitude;
}
