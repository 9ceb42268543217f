/**
 * The claims about pictures (U1) as functions. Each takes what makes the pictures and tells what it found wrong, so
 * that a test can also feed it a maker that is wrong and see it found.
 */
import { AppError } from '@teleconsult/protocol';
import { CANARY } from './pictures.fixtures.ts';

export interface MadePicture {
  readonly original: Buffer;
  readonly thumbnail: Buffer;
}

export type MakesPictures = (bytes: Buffer) => Promise<MadePicture>;

/** What is in the pictures that were made, besides what can be seen. */
export async function remainsIn(sent: Record<string, Buffer>, make: MakesPictures): Promise<string[]> {
  const remains: string[] = [];
  for (const [name, bytes] of Object.entries(sent)) {
    const { original, thumbnail } = await make(bytes);
    remains.push(...remainsOf(original).map((part) => `${name}: ${part}`));
    remains.push(...remainsOf(thumbnail).map((part) => `thumbnail of ${name}: ${part}`));
  }
  return remains;
}

/** Which of the files were made into pictures, or failed in another way than a refusal with a reason. */
export async function acceptedOf(sent: Record<string, Buffer>, make: MakesPictures): Promise<string[]> {
  const accepted: string[] = [];
  for (const [name, bytes] of Object.entries(sent)) {
    try {
      await make(bytes);
      accepted.push(name);
    } catch (error) {
      const isRefusal =
        error instanceof AppError &&
        (error.code === 'UNSUPPORTED_MEDIA' || error.code === 'TOO_LARGE') &&
        error.detail !== undefined;
      if (!isRefusal) accepted.push(`${name}: ${String(error)}`);
    }
  }
  return accepted;
}

const JPEG_PARTS = new Set([0xc0, 0xc1, 0xc4, 0xdb, 0xdd, 0xe0]);
const PNG_PARTS = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND', 'tRNS', 'pHYs']);
const WEBP_PARTS = new Set(['VP8 ', 'VP8L', 'ALPH', 'VP8X']);

/** Every part of a file that is not needed to see the picture, by a list of those that are. */
function remainsOf(bytes: Buffer): string[] {
  const text = bytes.toString('latin1');
  const words = [CANARY, 'Exif', 'xpacket', '<script', 'PK\x03\x04'].filter((word) => text.includes(word));
  return [...words, ...partsOf(bytes)];
}

function partsOf(bytes: Buffer): string[] {
  if (bytes.readUInt16BE(0) === 0xffd8) return jpegRemains(bytes);
  if (bytes.toString('latin1', 1, 4) === 'PNG') return pngRemains(bytes);
  if (bytes.toString('latin1', 8, 12) === 'WEBP') return webpRemains(bytes);
  return ['another format'];
}

function jpegRemains(bytes: Buffer): string[] {
  const remains: string[] = [];
  let at = 2;
  while (bytes[at] === 0xff && bytes[at + 1] !== 0xda) {
    const marker = bytes[at + 1] ?? 0;
    if (!JPEG_PARTS.has(marker)) remains.push(`marker ${marker.toString(16)}`);
    if (marker === 0xe0 && bytes.toString('latin1', at + 4, at + 8) !== 'JFIF') remains.push('foreign JFIF');
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  // Within the pixels FF is followed by 00 or a restart marker; the next other marker must be the end.
  do at = bytes.indexOf(0xff, at + 2);
  while (at >= 0 && (bytes[at + 1] === 0 || ((bytes[at + 1] ?? 0) & 0xf8) === 0xd0));
  if (bytes[at + 1] !== 0xd9) remains.push(`marker ${bytes[at + 1]?.toString(16)} behind the pixels`);
  if (at + 2 !== bytes.byteLength) remains.push(`${bytes.byteLength - at - 2} bytes behind the end`);
  return remains;
}

function pngRemains(bytes: Buffer): string[] {
  const remains: string[] = [];
  let at = 8;
  while (at + 12 <= bytes.byteLength) {
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (!PNG_PARTS.has(type)) remains.push(`chunk ${type}`);
    at += 12 + bytes.readUInt32BE(at);
    if (type === 'IEND') break;
  }
  if (at !== bytes.byteLength) remains.push(`${bytes.byteLength - at} bytes behind the end`);
  return remains;
}

function webpRemains(bytes: Buffer): string[] {
  const remains: string[] = [];
  let at = 12;
  while (at + 8 <= bytes.byteLength) {
    const type = bytes.toString('latin1', at, at + 4);
    if (!WEBP_PARTS.has(type)) remains.push(`chunk ${type}`);
    const byteSize = bytes.readUInt32LE(at + 4);
    at += 8 + byteSize + (byteSize % 2);
  }
  if (at !== bytes.byteLength || bytes.readUInt32LE(4) + 8 !== bytes.byteLength)
    remains.push('bytes behind the end');
  return remains;
}
