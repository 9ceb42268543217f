/**
 * The port to what turns a track into bytes of a file. It knows nothing of consultations, keys or disks: the bytes go to
 * whoever asked, in memory, as they come.
 */
import type { MediaSource, SfuRoom } from '../sfu.ts';

/** Why a segment ended. After all but `stopped` and `track_ended` its owner begins another one where the track goes on. */
export type SegmentEnd =
  /** Its owner stopped it. */
  | 'stopped'
  /** Its track ended: the person left, took another device, or stopped sharing. */
  | 'track_ended'
  | 'room_closed'
  /** The track's clock jumped; see `TapEvent`. */
  | 'clock_jumped'
  /** The recording process ended by itself or was killed. */
  | 'recorder_died'
  /** Packets went in and no bytes came out for 2 s. */
  | 'recorder_stalled'
  /** What took the bytes threw, or took none for longer than the recorder can hold them. */
  | 'sink_failed';

export interface SegmentOptions {
  readonly room: SfuRoom;
  readonly seatId: string;
  readonly source: MediaSource;
  /** Takes the bytes of the file in order, at the latest 0.5 s after their sound or picture was sent. */
  readonly onBytes: (bytes: Buffer) => void;
  /** The first packet was taken: sound and picture of the file begin at this moment (milliseconds since 1970). */
  readonly onBegan: (at: number) => void;
  /** Called once, after the last `onBytes`, when process, ports and tap are gone. */
  readonly onEnded: (end: SegmentEnd) => void;
}

/** One file of one track, without a break. */
export interface Segment {
  /** `audio/webm;codecs=opus`, `video/webm;codecs=vp8` or `video/x-matroska;codecs=avc1`. */
  readonly contentType: string;
  /** Ends the file properly; resolves when `onEnded` was called. May be called twice. */
  stop(): Promise<void>;
}

export interface TrackRecorder {
  /**
   * Begins a file. Bytes come as soon as the sender sends something; a muted track makes a file that begins late.
   * @throws SfuError `not_found`, `room_closed`
   * @throws RecorderError when no recording process can be started
   */
  begin(options: SegmentOptions): Promise<Segment>;
  /** Segments that run now. */
  readonly running: number;
  /** Stops all segments and waits for their processes. May be called twice. */
  close(): Promise<void>;
}

export type RecorderErrorReason = 'no_program' | 'no_ports' | 'unsupported_codec' | 'closed';

export class RecorderError extends Error {
  override readonly name = 'RecorderError';
  readonly reason: RecorderErrorReason;
  constructor(reason: RecorderErrorReason, options?: { cause?: unknown }) {
    super(`recorder: ${reason}`, options);
    this.reason = reason;
  }
}
