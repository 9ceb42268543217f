/** What WebM and Matroska files are made of (RFC 8794, RFC 9559). */

/** Ids of the elements used here. */
export const ID = {
  ebml: 0x1a45dfa3,
  segment: 0x18538067,
  seekHead: 0x114d9b74,
  seek: 0x4dbb,
  seekId: 0x53ab,
  seekPosition: 0x53ac,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  muxingApp: 0x4d80,
  writingApp: 0x5741,
  duration: 0x4489,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  cues: 0x1c53bb6b,
  cuePoint: 0xbb,
  cueTime: 0xb3,
  cueTrackPositions: 0xb7,
  cueTrack: 0xf7,
  cueClusterPosition: 0xf1,
  chapters: 0x1043a770,
  tags: 0x1254c367,
  attachments: 0x1941a469,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  blockDuration: 0x9b,
  referenceBlock: 0xfb,
} as const;

/** What may have been written by whom is nobody's business; the format wants a name. */
export const APP = 'teleconsult';

/** An element’s name, how long its content says it is (null: unknown), and how long its own beginning is. */
export interface ElementHead {
  readonly id: number;
  readonly byteSize: number | null;
  readonly headSize: number;
}

/** The beginning of an element; null when more bytes are needed. @throws Error when it is none */
export function headAt(bytes: Buffer, at: number): ElementHead | null {
  const id = numberAt(bytes, at, { keepMarker: true });
  if (id === null) return null;
  const size = numberAt(bytes, id.end, { keepMarker: false });
  if (size === null) return null;
  return { id: id.value, byteSize: size.isUnknown ? null : size.value, headSize: size.end - at };
}

/** A number of variable length: the zeros before its first bit tell how many bytes follow. RFC 8794, 4. */
export function numberAt(bytes: Buffer, at: number, { keepMarker }: { keepMarker: boolean }) {
  const first = bytes[at];
  if (first === undefined) return null;
  const length = Math.clz32(first) - 23;
  if (length > 8) throw new Error('A number is malformed.');
  if (at + length > bytes.byteLength) return null;
  const marker = 1 << (8 - length);
  let value = keepMarker ? first : first & (marker - 1);
  let allOnes = (first & (marker - 1)) === marker - 1;
  for (let index = 1; index < length; index += 1) {
    const next = bytes.readUInt8(at + index);
    value = value * 256 + next;
    allOnes &&= next === 0xff;
  }
  return { value, end: at + length, isUnknown: allOnes };
}

/** The elements that lie whole between two places. */
export function* elementsIn(bytes: Buffer, from: number, end: number) {
  for (let at = from; at < end; ) {
    const head = headAt(bytes, at);
    if (head?.byteSize == null || at + head.headSize + head.byteSize > end) return;
    const contentStart = at + head.headSize;
    at = contentStart + head.byteSize;
    yield { id: head.id, contentStart, end: at };
  }
}

/** A whole number as an element holds it: one to eight bytes, big endian. */
export function unsignedAt(bytes: Buffer, from: number, end: number): number {
  let value = 0;
  for (let at = from; at < end; at += 1) value = value * 256 + bytes.readUInt8(at);
  return value;
}

/** An element with its length in as few bytes as it needs. */
export function element(id: number, ...content: readonly Buffer[]): Buffer {
  const byteSize = content.reduce((sum, part) => sum + part.byteLength, 0);
  return Buffer.concat([headOf(id, byteSize), ...content]);
}

/** The beginning of an element whose content follows elsewhere; its length (null: unknown) takes eight bytes. */
export const longHead = (id: number, byteSize: number | null): Buffer =>
  Buffer.concat([idBytes(id), byteSize === null ? UNKNOWN_LENGTH : lengthIn(byteSize, 8)]);

const UNKNOWN_LENGTH = Buffer.from('01ffffffffffffff', 'hex');

/** A length in a certain number of bytes: what an element says of itself can then be changed in its place. */
export function lengthIn(byteSize: number, width: number): Buffer {
  const bytes = Buffer.alloc(width);
  let rest = byteSize;
  for (let at = width - 1; at >= 0; at -= 1) {
    bytes[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  const marker = 1 << (8 - width);
  if (rest > 0 || (bytes[0] ?? 0) >= marker) throw new RangeError('The length does not fit.');
  bytes[0] = (bytes[0] ?? 0) | marker;
  return bytes;
}

/** Always so many bytes: the length of a table must not depend on what it holds. */
export function unsigned(value: number, width = 4): Buffer {
  const bytes = Buffer.alloc(width);
  let rest = value;
  for (let at = width - 1; at >= 0; at -= 1) {
    bytes[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

export function float(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

function headOf(id: number, byteSize: number): Buffer {
  let width = 1;
  // All ones mean an unknown length, so the largest number of each width is not used.
  while (byteSize >= 2 ** (7 * width) - 1) width += 1;
  return Buffer.concat([idBytes(id), lengthIn(byteSize, width)]);
}

function idBytes(id: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(id);
  return bytes.subarray(bytes.findIndex((byte) => byte !== 0));
}
