import { SfuError, type TapEvent, type TrackTap } from '../sfu.ts';
import { mediaFormat } from './media-format.ts';
import {
  RecorderError,
  type RecorderErrorReason,
  type Segment,
  type SegmentEnd,
  type SegmentOptions,
  type TrackRecorder,
} from './recorder.ts';

/** Whoever taps the fake SFU gets no packets, so nobody listens there. */
const NOBODY = { rtpPort: 9, rtcpPort: 9 };

/** One file that a test writes. It follows its track and its room as a real one does. */
export class FakeSegment implements Segment {
  readonly options: SegmentOptions;
  readonly contentType: string;
  readonly #tap: TrackTap;
  readonly #onGone: (segment: FakeSegment) => void;
  #began = false;
  #end: SegmentEnd | null = null;

  constructor(options: SegmentOptions, tap: TrackTap, onGone: (segment: FakeSegment) => void) {
    this.options = options;
    this.#tap = tap;
    this.#onGone = onGone;
    this.contentType = mediaFormat(tap.rtpParameters).contentType;
  }

  /** Null while it runs. */
  get end(): SegmentEnd | null {
    return this.#end;
  }

  /** The first packet was taken. Once; `emit` does it where the test did not. */
  begins(at: number = Date.now()): void {
    if (this.#began || this.#end !== null) return;
    this.#began = true;
    this.options.onBegan(at);
  }

  /** These bytes came out of the recording process. Nothing comes after the end. */
  emit(bytes: Uint8Array): void {
    this.begins();
    if (this.#end !== null) return;
    try {
      this.options.onBytes(Buffer.from(bytes));
    } catch {
      this.finish('sink_failed');
    }
  }

  /** Ends for this reason, as when the process died (`recorder_died`) or stood still (`recorder_stalled`). */
  finish(end: SegmentEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#tap.close();
    this.#onGone(this);
    this.options.onEnded(end);
  }

  async stop(): Promise<void> {
    this.finish('stopped');
  }

  /** Called by the recorder. */
  tapped(event: TapEvent): void {
    if (event.type === 'firstPacket') this.begins(event.at);
    if (event.type === 'clockJumped') this.finish('clock_jumped');
    if (event.type === 'ended') this.finish(event.reason);
  }
}

/** A recorder without processes for tests of everything above it. It works on the rooms of the fake SFU. */
export class FakeRecorder implements TrackRecorder {
  readonly #segments = new Set<FakeSegment>();
  readonly #failures: RecorderErrorReason[] = [];
  #closed = false;

  get running(): number {
    return this.#segments.size;
  }

  /** Segments that run now, in the order in which they began. */
  get segments(): readonly FakeSegment[] {
    return [...this.#segments];
  }

  /** The next `begin` throws this reason. Calls queue up. */
  failNext(reason: RecorderErrorReason): void {
    this.#failures.push(reason);
  }

  async begin(options: SegmentOptions): Promise<FakeSegment> {
    const { room, seatId, source } = options;
    if (this.#closed) throw new RecorderError('closed');
    const failure = this.#failures.shift();
    if (failure !== undefined) throw new RecorderError(failure);
    let segment: FakeSegment | null = null;
    const onEvent = (event: TapEvent): void => segment?.tapped(event);
    const tap = await room.openTap({ seatId, source, target: NOBODY, onEvent });
    await tap.start();
    if (tap.closed) throw new SfuError(room.closed ? 'room_closed' : 'not_found');
    if (this.#closed) {
      tap.close();
      throw new RecorderError('closed');
    }
    segment = new FakeSegment(options, tap, (gone) => this.#segments.delete(gone));
    this.#segments.add(segment);
    return segment;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#segments].map((segment) => segment.stop()));
  }
}

export function createFakeRecorder(): FakeRecorder {
  return new FakeRecorder();
}
