/** Ids of the elements used here. RFC 9559. */
const ID = {
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
  cues: 0x1c53bb6b,
  cuePoint: 0xbb,
  cueTime: 0xb3,
  cueTrackPositions: 0xb7,
  cueTrack: 0xf7,
  cueClusterPosition: 0xf1,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
} as const;

/** Timestamps are milliseconds: what ffmpeg writes and browsers expect. */
const NANOSECONDS_A_TICK = 1_000_000;

/** What may have been written by whom is nobody's business; the format wants a name. */
const APP = 'teleconsult';

interface Element {
  readonly id: number;
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;
}

/**
 * Turns what ffmpeg writes to a pipe, a WebM file of one audio track without length and index, into a file that
 * shows its duration and in which one can seek at once. Keeps the track and the sound, and nothing else: no tags.
 * @throws Error when the bytes are no such file: a mistake of ours, since ffmpeg was told to write it
 */
export function makeWebmSeekable(streamed: Buffer, durationMs: number): Buffer {
  const [header, segment] = elementsOf(streamed, 0, streamed.byteLength);
  if (header?.id !== ID.ebml || segment?.id !== ID.segment) throw new Error('This is no WebM file.');
  const children = elementsOf(streamed, segment.contentStart, segment.end);
  const tracks = children.find((child) => child.id === ID.tracks);
  const clusters = children.filter((child) => child.id === ID.cluster);
  if (tracks === undefined || clusters.length === 0) throw new Error('The WebM file has no sound.');

  const trackBytes = streamed.subarray(tracks.start, tracks.end);
  const info = infoOf(durationMs);
  // Both tables have the same length whatever positions they hold, so they can be measured before they are right.
  const tableOf = (positions: readonly number[]) =>
    element(
      ID.cues,
      ...clusters.map((cluster, index) => cueOf(timestampOf(streamed, cluster), positions[index] ?? 0)),
    );
  const headOf = (positions: readonly [number, number, number]) =>
    element(
      ID.seekHead,
      seekOf(ID.info, positions[0]),
      seekOf(ID.tracks, positions[1]),
      seekOf(ID.cues, positions[2]),
    );
  // Positions count from the first byte inside of the segment.
  const infoAt = headOf([0, 0, 0]).byteLength;
  const tracksAt = infoAt + info.byteLength;
  const cuesAt = tracksAt + trackBytes.byteLength;
  let clusterAt = cuesAt + tableOf([]).byteLength;
  const positions = clusters.map((cluster) => {
    const position = clusterAt;
    clusterAt += cluster.end - cluster.start;
    return position;
  });
  const content = [
    headOf([infoAt, tracksAt, cuesAt]),
    info,
    trackBytes,
    tableOf(positions),
    ...clusters.map((cluster) => streamed.subarray(cluster.start, cluster.end)),
  ];
  return Buffer.concat([streamed.subarray(header.start, header.end), element(ID.segment, ...content)]);
}

function infoOf(durationMs: number): Buffer {
  const duration = Buffer.alloc(8);
  duration.writeDoubleBE(durationMs);
  return element(
    ID.info,
    element(ID.timestampScale, unsigned(NANOSECONDS_A_TICK)),
    element(ID.muxingApp, Buffer.from(APP)),
    element(ID.writingApp, Buffer.from(APP)),
    element(ID.duration, duration),
  );
}

const cueOf = (timestamp: number, position: number): Buffer =>
  element(
    ID.cuePoint,
    element(ID.cueTime, unsigned(timestamp)),
    element(
      ID.cueTrackPositions,
      element(ID.cueTrack, unsigned(1)),
      element(ID.cueClusterPosition, unsigned(position)),
    ),
  );

const seekOf = (id: number, position: number): Buffer =>
  element(ID.seek, element(ID.seekId, unsigned(id)), element(ID.seekPosition, unsigned(position)));

function timestampOf(bytes: Buffer, cluster: Element): number {
  const [first] = elementsOf(bytes, cluster.contentStart, cluster.end);
  if (first?.id !== ID.timestamp) throw new Error('A cluster has no timestamp.');
  return bytes.readUIntBE(first.contentStart, first.end - first.contentStart);
}

/** The elements between two places. One of unknown length reaches to the end. */
function elementsOf(bytes: Buffer, from: number, end: number): Element[] {
  const elements: Element[] = [];
  for (let start = from; start < end; ) {
    const id = numberAt(bytes, start, { keepMarker: true });
    const size = numberAt(bytes, id.end, { keepMarker: false });
    const elementEnd = size.isUnknown ? end : size.end + size.value;
    if (elementEnd > end) throw new Error('An element is cut.');
    elements.push({ id: id.value, start, contentStart: size.end, end: elementEnd });
    start = elementEnd;
  }
  return elements;
}

/** A number of variable length: the zeros before its first bit tell how many bytes follow. RFC 8794, 4. */
function numberAt(bytes: Buffer, at: number, { keepMarker }: { keepMarker: boolean }) {
  const first = bytes.readUInt8(at);
  const length = Math.clz32(first) - 23;
  if (length > 8) throw new Error('A number is malformed.');
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

function element(id: number, ...content: readonly Buffer[]): Buffer {
  const byteSize = content.reduce((sum, part) => sum + part.byteLength, 0);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(byteSize, 4);
  // Length in eight bytes, of which four are enough for a file of 4 GB.
  head[0] = 0x01;
  return Buffer.concat([idBytes(id), head, ...content]);
}

function idBytes(id: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(id);
  return bytes.subarray(bytes.findIndex((byte) => byte !== 0));
}

/** Always four bytes: the length of a table must not depend on what it holds. */
function unsigned(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
