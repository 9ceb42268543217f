import { fileTypeFromBuffer } from 'file-type';

/** Formats that something here accepts, told by their first bytes alone. */
export type Format =
  | 'jpeg'
  | 'png'
  | 'webp'
  | 'gif'
  | 'ogg'
  | 'webm'
  | 'mp4'
  | 'wav'
  | 'mp3'
  | 'pdf'
  | 'dicom'
  | 'zip';

type Sign = readonly [format: Format, matches: (bytes: Uint8Array) => boolean];

/** What the library needs to tell the formats we name in refusals; a longer look would only cost time. */
const NAMING_BYTES = 64 * 1024;

const text = (bytes: Uint8Array, start: number, endExclusive: number): string =>
  Buffer.from(bytes.subarray(start, endExclusive)).toString('latin1');

const begins = (...prefixes: readonly string[]) => {
  return (bytes: Uint8Array) => prefixes.some((prefix) => text(bytes, 0, prefix.length) === prefix);
};

const riff = (kind: string) => (bytes: Uint8Array) =>
  text(bytes, 0, 4) === 'RIFF' && text(bytes, 8, 12) === kind;

/** Brands of ISO base media files that hold pictures; everything else of this family may hold sound. */
const PICTURE_BRANDS = new Set([
  'heic',
  'heix',
  'hevc',
  'heim',
  'heis',
  'mif1',
  'msf1',
  'avif',
  'avis',
  'crx ',
]);

const SIGNS: readonly Sign[] = [
  ['jpeg', begins('\xff\xd8\xff')],
  ['png', begins('\x89PNG\r\n\x1a\n')],
  ['gif', begins('GIF87a', 'GIF89a')],
  ['webp', riff('WEBP')],
  ['wav', riff('WAVE')],
  ['ogg', begins('OggS\0')],
  ['webm', begins('\x1a\x45\xdf\xa3')],
  ['mp4', (bytes) => text(bytes, 4, 8) === 'ftyp' && !PICTURE_BRANDS.has(text(bytes, 8, 12))],
  ['mp3', (bytes) => text(bytes, 0, 3) === 'ID3' || isMpegLayer3(bytes)],
  ['pdf', begins('%PDF-')],
  ['dicom', (bytes) => text(bytes, 128, 132) === 'DICM'],
  ['zip', begins('PK\x03\x04')],
];

/** The format a file begins as, or null for all others. It says nothing about the rest of the file. */
export function sniff(bytes: Uint8Array): Format | null {
  return SIGNS.find(([, matches]) => matches(bytes))?.[0] ?? null;
}

/** A name for people of a format that is refused, such as "HEIC". */
export async function nameOfFormat(bytes: Uint8Array): Promise<string> {
  const beginning = text(bytes, 0, 1024).trimStart().toLowerCase();
  if (beginning.includes('<svg')) return 'SVG';
  const type = await fileTypeFromBuffer(bytes.subarray(0, NAMING_BYTES)).catch(() => undefined);
  return type === undefined ? 'This format' : type.ext.toUpperCase();
}

/** An MPEG audio frame header: 11 set bits, layer III, and neither a reserved bit rate nor sampling rate. */
function isMpegLayer3(bytes: Uint8Array): boolean {
  const [first = 0, second = 0, third = 0] = bytes;
  return first === 0xff && (second & 0xe6) === 0xe2 && (third & 0xf0) !== 0xf0 && (third & 0x0c) !== 0x0c;
}
