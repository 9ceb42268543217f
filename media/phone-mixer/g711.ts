/**
 * The two codecs of telephones (ITU-T G.711): 8,000 samples a second of one byte each, which stand for 16 bits.
 * Payload types are those of RFC 3551 §6.
 */

/** 0 is PCMU (µ-law), 8 is PCMA (A-law). */
export type G711Codec = 0 | 8;

export const SAMPLE_RATE = 8_000;

const ALAW_MASK = 0x55;
const ULAW_BIAS = 0x84;
const ULAW_CLIP = 32_635;

const ALAW_TO_LINEAR = Int16Array.from({ length: 256 }, (_, byte) => alawToLinear(byte));
const ULAW_TO_LINEAR = Int16Array.from({ length: 256 }, (_, byte) => ulawToLinear(byte));
/** By the upper 13 bits of a sample: A-law keeps no more of it. */
const LINEAR_TO_ALAW = Uint8Array.from({ length: 8_192 }, (_, index) => linearToAlaw((index - 4_096) << 3));
/** By the upper 14 bits. */
const LINEAR_TO_ULAW = Uint8Array.from({ length: 16_384 }, (_, index) => linearToUlaw((index - 8_192) << 2));

/** Decodes into `samples`, which is at least as long as `bytes`. */
export function decodeG711(codec: G711Codec, bytes: Uint8Array, samples: Int16Array): void {
  const table = codec === 8 ? ALAW_TO_LINEAR : ULAW_TO_LINEAR;
  for (let index = 0; index < bytes.length; index += 1) samples[index] = table[bytes[index] ?? 0] ?? 0;
}

/** Encodes into `bytes`, which is at least as long as `samples`. */
export function encodeG711(codec: G711Codec, samples: Int16Array, bytes: Uint8Array): void {
  if (codec === 8) {
    for (let index = 0; index < samples.length; index += 1)
      bytes[index] = LINEAR_TO_ALAW[((samples[index] ?? 0) >> 3) + 4_096] ?? 0;
  } else {
    for (let index = 0; index < samples.length; index += 1)
      bytes[index] = LINEAR_TO_ULAW[((samples[index] ?? 0) >> 2) + 8_192] ?? 0;
  }
}

function alawToLinear(byte: number): number {
  const value = byte ^ ALAW_MASK;
  const exponent = (value & 0x70) >> 4;
  const mantissa = (value & 0x0f) << 4;
  const magnitude = exponent === 0 ? mantissa + 8 : (mantissa + 0x108) << (exponent - 1);
  return (value & 0x80) !== 0 ? magnitude : -magnitude;
}

function linearToAlaw(sample: number): number {
  const isPositive = sample >= 0;
  const magnitude = Math.min(isPositive ? sample : -sample - 1, 32_767);
  const exponent = magnitude < 256 ? 0 : 24 - Math.clz32(magnitude);
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 0x0f;
  return ((isPositive ? 0x80 : 0) | (exponent << 4) | mantissa) ^ ALAW_MASK;
}

function ulawToLinear(byte: number): number {
  const value = ~byte & 0xff;
  const exponent = (value & 0x70) >> 4;
  const magnitude = ((((value & 0x0f) << 3) + ULAW_BIAS) << exponent) - ULAW_BIAS;
  return (value & 0x80) !== 0 ? -magnitude : magnitude;
}

function linearToUlaw(sample: number): number {
  const isNegative = sample < 0;
  const magnitude = Math.min(isNegative ? -sample : sample, ULAW_CLIP) + ULAW_BIAS;
  const exponent = 24 - Math.clz32(magnitude);
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~((isNegative ? 0x80 : 0) | (exponent << 4) | mantissa) & 0xff;
}
