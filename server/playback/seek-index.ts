import { APP, element, float, ID, lengthIn, longHead, unsigned } from '../webm/elements.ts';
import type { Cue, ScannedWebm } from '../webm/scanner.ts';

/**
 * How a file that was recorded as it came is served as one in which a player can seek: its beginning is made anew, with
 * a length and an index, and what was recorded follows as it is (RFC 9559, Matroska).
 */
export interface SeekIndex {
  /** The new beginning, base64: EBML header, segment, seek head, info, tracks, cues. */
  readonly head: string;
  /** What is kept of the stored file follows: from the first cluster to the end of the last whole block. */
  readonly keptStart: number;
  readonly keptEnd: number;
  /** Where the last cluster was cut, its header says a length that is not there; these bytes (base64) are put over it. */
  readonly patch: { readonly at: number; readonly bytes: string } | null;
}

/** Places and times always take eight bytes, so that tables can be measured before they are right. */
const WIDE = 8;

export function makeSeekIndex(scan: ScannedWebm): SeekIndex {
  const { keptStart, keptEnd, cut } = scan;
  const info = element(
    ID.info,
    element(ID.timestampScale, unsigned(scan.timestampScale)),
    element(ID.muxingApp, Buffer.from(APP)),
    element(ID.writingApp, Buffer.from(APP)),
    element(ID.duration, float(scan.durationTicks)),
  );
  const cuesOf = (clustersAt: number) =>
    scan.cues.length === 0
      ? Buffer.alloc(0)
      : element(ID.cues, ...scan.cues.map((cue) => cueOf(cue, clustersAt)));
  const headOf = (infoAt: number, tracksAt: number, cuesAt: number) =>
    element(
      ID.seekHead,
      seekOf(ID.info, infoAt),
      seekOf(ID.tracks, tracksAt),
      ...(scan.cues.length === 0 ? [] : [seekOf(ID.cues, cuesAt)]),
    );
  // Places count from the first byte inside of the segment.
  const infoAt = headOf(0, 0, 0).byteLength;
  const tracksAt = infoAt + info.byteLength;
  const cuesAt = tracksAt + scan.tracks.byteLength;
  const clustersAt = cuesAt + cuesOf(0).byteLength;
  const content = [headOf(infoAt, tracksAt, cuesAt), info, scan.tracks, cuesOf(clustersAt)];
  const segment = longHead(ID.segment, scan.isLive ? null : clustersAt + keptEnd - keptStart);
  return {
    head: Buffer.concat([scan.header, segment, ...content]).toString('base64'),
    keptStart,
    keptEnd,
    patch:
      cut === null
        ? null
        : { at: cut.lengthAt, bytes: lengthIn(cut.byteSize, cut.lengthWidth).toString('base64') },
  };
}

const cueOf = ({ time, position, track }: Cue, clustersAt: number): Buffer =>
  element(
    ID.cuePoint,
    element(ID.cueTime, unsigned(time, WIDE)),
    element(
      ID.cueTrackPositions,
      element(ID.cueTrack, unsigned(track)),
      element(ID.cueClusterPosition, unsigned(clustersAt + position, WIDE)),
    ),
  );

const seekOf = (id: number, position: number): Buffer =>
  element(ID.seek, element(ID.seekId, unsigned(id)), element(ID.seekPosition, unsigned(position, WIDE)));
