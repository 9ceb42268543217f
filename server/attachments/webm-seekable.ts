import { APP, element, float, headAt, ID, unsigned, unsignedAt } from '../webm/elements.ts';

/** Timestamps are milliseconds: what ffmpeg writes and browsers expect. */
const NANOSECONDS_A_TICK = 1_000_000;

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
  return element(
    ID.info,
    element(ID.timestampScale, unsigned(NANOSECONDS_A_TICK)),
    element(ID.muxingApp, Buffer.from(APP)),
    element(ID.writingApp, Buffer.from(APP)),
    element(ID.duration, float(durationMs)),
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
  return unsignedAt(bytes, first.contentStart, first.end);
}

/** The elements between two places. One of unknown length reaches to the end. */
function elementsOf(bytes: Buffer, from: number, end: number): Element[] {
  const elements: Element[] = [];
  for (let start = from; start < end; ) {
    const head = headAt(bytes, start);
    if (head === null) throw new Error('An element is cut.');
    const contentStart = start + head.headSize;
    const elementEnd = head.byteSize === null ? end : contentStart + head.byteSize;
    if (elementEnd > end) throw new Error('An element is cut.');
    elements.push({ id: head.id, start, contentStart, end: elementEnd });
    start = elementEnd;
  }
  return elements;
}
