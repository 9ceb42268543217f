/**
 * ffmpeg takes Opus out of RTP without the identification header that a WebM file must carry for it (Matroska codec
 * mappings, A_OPUS: CodecPrivate), and some players refuse the file then. This puts it in while the bytes go by.
 * Ids and sizes: RFC 8794; elements: RFC 9559.
 */

const EBML = 0x1a45dfa3;
const SEGMENT = 0x18538067;
const INFO = 0x1549a966;
const TRACKS = 0x1654ae6b;
const TRACK_ENTRY = 0xae;
const CODEC_PRIVATE = 0x63a2;
const CLUSTER = 0x1f43b675;

/** All before the first sound: some 500 bytes. What is longer than this is not what we know and goes by as it is. */
const LONGEST_HEADER_BYTES = 64 * 1024;

/**
 * RFC 7845 §5.1: version 1, two channels, nothing to skip (the recording joins a stream that runs), 48 kHz, no gain,
 * channel mapping 0.
 */
const OPUS_HEAD = Buffer.from([...Buffer.from('OpusHead'), 1, 2, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0]);

interface Element {
  readonly id: number;
  readonly start: number;
  readonly dataStart: number;
  /** Null: of unknown size, to the end of the file. */
  readonly end: number | null;
}

/** Give it all bytes of one file in order. */
export class OpusHeader {
  /** What came so far of the header; null when it is done. */
  #held: Buffer | null = Buffer.alloc(0);

  /** What can go on now; may be empty. */
  push(bytes: Buffer): Buffer {
    if (this.#held === null) return bytes;
    this.#held = Buffer.concat([this.#held, bytes]);
    const ready = completed(this.#held) ?? (this.#held.byteLength > LONGEST_HEADER_BYTES ? this.#held : null);
    if (ready === null) return Buffer.alloc(0);
    this.#held = null;
    return ready;
  }

  /** What is left when the file ends within its header. */
  end(): Buffer {
    const rest = this.#held ?? Buffer.alloc(0);
    this.#held = null;
    return rest;
  }
}

/** The file's beginning with the header in it, or null as long as its tracks are not all there. */
function completed(file: Buffer): Buffer | null {
  const ebml = elementAt(file, 0);
  if (ebml?.id !== EBML || ebml.end === null) return null;
  const segment = elementAt(file, ebml.end);
  if (segment?.id !== SEGMENT) return null;
  // The index of positions (SeekHead) and the room left for it go: they would be wrong, and no player needs them.
  const kept: Buffer[] = [file.subarray(0, segment.dataStart)];
  for (let at = segment.dataStart; ; ) {
    const element = elementAt(file, at);
    if (element === null || element.end === null || element.end > file.byteLength) return null;
    if (element.id === CLUSTER) return file;
    if (element.id === INFO) kept.push(file.subarray(element.start, element.end));
    if (element.id === TRACKS) {
      return Buffer.concat([
        ...kept,
        withOpusHead(file.subarray(element.dataStart, element.end)),
        file.subarray(element.end),
      ]);
    }
    at = element.end;
  }
}

function withOpusHead(tracks: Buffer): Buffer {
  const entry = childrenOf(tracks).find(({ id }) => id === TRACK_ENTRY);
  if (entry === undefined) return sized(TRACKS, tracks);
  const fields = tracks.subarray(entry.dataStart, entry.end ?? tracks.byteLength);
  if (childrenOf(fields).some(({ id }) => id === CODEC_PRIVATE)) return sized(TRACKS, tracks);
  return sized(TRACKS, sized(TRACK_ENTRY, Buffer.concat([fields, sized(CODEC_PRIVATE, OPUS_HEAD)])));
}

function childrenOf(data: Buffer): Element[] {
  const children: Element[] = [];
  for (let at = 0; at < data.byteLength; ) {
    const element = elementAt(data, at);
    if (element === null || element.end === null) break;
    children.push(element);
    at = element.end;
  }
  return children;
}

/** Null when its id and size are not all there, or are no such thing. */
function elementAt(bytes: Buffer, start: number): Element | null {
  const idLength = vintLength(bytes[start]);
  if (idLength === null || idLength > 4 || start + idLength >= bytes.byteLength) return null;
  const sizeStart = start + idLength;
  const sizeLength = vintLength(bytes[sizeStart]);
  if (sizeLength === null || sizeStart + sizeLength > bytes.byteLength) return null;
  const dataStart = sizeStart + sizeLength;
  // The size without its marker bit: all of its bits set says that it is unknown.
  const bits = [...bytes.subarray(sizeStart, dataStart)];
  bits[0] = (bits[0] ?? 0) & (0xff >> sizeLength);
  const size = bits.reduce((value, byte) => value * 256 + byte, 0);
  const isUnknown = bits[0] === 0xff >> sizeLength && bits.slice(1).every((byte) => byte === 0xff);
  const end = isUnknown ? null : dataStart + size;
  return { id: bytes.readUIntBE(start, idLength), start, dataStart, end };
}

/** How many bytes a number of variable length has: as many as it has zero bits before its first one, and one. */
function vintLength(first: number | undefined): number | null {
  return first === undefined || first === 0 ? null : Math.clz32(first) - 23;
}

/** An element with its size in four bytes. */
function sized(id: number, data: Buffer): Buffer {
  const idLength = Math.ceil((32 - Math.clz32(id)) / 8);
  const head = Buffer.alloc(idLength + 4);
  head.writeUIntBE(id, 0, idLength);
  head.writeUInt32BE((0x1000_0000 | data.byteLength) >>> 0, idLength);
  return Buffer.concat([head, data]);
}
