import type { MediaLogger } from '../mediasoup/settings.ts';
import { SfuError, type TapEvent, type TrackTap } from '../sfu.ts';
import { ffmpegArguments } from './ffmpeg-arguments.ts';
import type { Jail } from './jail.ts';
import { type MediaFormat, mediaFormat, sessionDescription } from './media-format.ts';
import { OpusHeader } from './opus-header.ts';
import type { PortLease, PortLeases } from './port-leases.ts';
import { RecorderError, type Segment, type SegmentEnd, type SegmentOptions } from './recorder.ts';
import { RecordingProcess } from './recording-process.ts';
import { LOOK_INTERVAL_MS, Supervision } from './supervision.ts';

/** A port that was free may be taken before ffmpeg has it. More often in a row than this it is no chance. */
const PORT_TRIES = 5;

/** ffmpeg listens after 60 ms on an idle machine; a machine that takes this long records nothing of use. */
const START_PATIENCE_MS = 5_000;

/** Processor time is looked at once in so many looks: reading it costs more than what it watches for. */
const LOOKS_PER_PROCESSOR_LOOK = 20;

/** What waits for the word of the first packet, which takes another way than the packet itself: it is some milliseconds. */
const LONGEST_WAIT_BYTES = 256 * 1024;

export interface SegmentParts {
  readonly jail: Jail;
  readonly ports: PortLeases;
  readonly logger: MediaLogger;
  /** Called once, when it runs. */
  readonly onRunning: (segment: FfmpegSegment) => void;
  /** Called once after that, just before `onEnded`. */
  readonly onGone: (segment: FfmpegSegment) => void;
}

/** A tap, the two ports it sends to, and the process that listens there. */
interface Works {
  readonly lease: PortLease;
  readonly tap: TrackTap;
  readonly format: MediaFormat;
  readonly process: RecordingProcess;
}

type State =
  | { readonly type: 'opening' }
  | { readonly type: 'running'; readonly works: Works; readonly looks: NodeJS.Timeout }
  | { readonly type: 'ending'; readonly end: SegmentEnd }
  | { readonly type: 'ended' };

/** One ffmpeg and the tap that feeds it. They begin and end together, whichever of them ends first. */
export class FfmpegSegment implements Segment {
  readonly #options: SegmentOptions;
  readonly #parts: SegmentParts;
  readonly #gone = Promise.withResolvers<void>();
  #state: State = { type: 'opening' };
  #contentType = '';
  #pid: number | undefined;
  #header: OpusHeader | null = null;
  #bytes = 0;
  /** At the last look. */
  #bytesSeen = 0;
  /** When the first packet left. What comes out of ffmpeg before that is told waits here. */
  #beganAt: number | null = null;
  #waiting: Buffer[] | null = [];

  /** Resolves when it runs. Leaves nothing behind where it cannot. */
  static async begin(options: SegmentOptions, parts: SegmentParts): Promise<FfmpegSegment> {
    for (let tries = 1; tries <= PORT_TRIES; tries += 1) {
      const segment = new FfmpegSegment(options, parts);
      if ((await segment.#begin()) === 'running') return segment;
    }
    throw new RecorderError('no_ports');
  }

  private constructor(options: SegmentOptions, parts: SegmentParts) {
    this.#options = options;
    this.#parts = parts;
  }

  get contentType(): string {
    return this.#contentType;
  }

  /** The recording process, for tests that kill it. */
  get pid(): number | undefined {
    return this.#pid;
  }

  async stop(): Promise<void> {
    this.#finish('stopped');
    await this.#gone.promise;
  }

  async #begin(): Promise<'running' | 'port_taken'> {
    const { room, seatId, source } = this.#options;
    const lease = await this.#parts.ports.lease();
    let tap: TrackTap | null = null;
    let process: RecordingProcess | null = null;
    let isRunning = false;
    try {
      tap = await room.openTap({ seatId, source, target: lease, onEvent: (event) => this.#tapped(event) });
      const format = mediaFormat(tap.rtpParameters);
      this.#contentType = format.contentType;
      this.#header = format.kind === 'audio' ? new OpusHeader() : null;
      process = new RecordingProcess({
        jail: this.#parts.jail,
        args: ffmpegArguments(format),
        input: sessionDescription(format, lease),
        onOutput: (bytes) => this.#came(this.#header?.push(bytes) ?? bytes),
      });
      this.#pid = process.pid;
      const outcome = await process.listens([lease.rtpPort, lease.rtcpPort], START_PATIENCE_MS);
      if (outcome === 'port_taken') return outcome;
      if (outcome !== 'listening') {
        const cause = new Error(`the recording process is ${outcome}`);
        throw new RecorderError('no_program', { cause });
      }
      await tap.start();
      if (tap.closed) throw new SfuError(room.closed ? 'room_closed' : 'not_found');
      this.#run({ lease, tap, format, process });
      isRunning = true;
      return 'running';
    } finally {
      if (!isRunning) {
        tap?.close();
        process?.kill();
        await process?.gone;
        lease.release();
      }
    }
  }

  #run(works: Works): void {
    const { process, tap, format } = works;
    const supervision = new Supervision(format.kind, performance.now());
    let isLooking = false;
    let count = 0;
    const looks = setInterval(() => {
      if (isLooking) return;
      isLooking = true;
      // A look that fails is one while the tap ends: its end is told by the tap.
      count += 1;
      void this.#look(works, supervision, count % LOOKS_PER_PROCESSOR_LOOK === 0)
        .catch(() => undefined)
        .finally(() => {
          isLooking = false;
        });
    }, LOOK_INTERVAL_MS);
    looks.unref();
    this.#state = { type: 'running', works, looks };
    this.#parts.onRunning(this);
    void process.gone.then(() => this.#finish('recorder_died'));
    this.#parts.logger.info('recorder.segment_began', { producer: tap.track.producerId, kind: format.kind });
    if (this.#beganAt !== null) this.#began(this.#beganAt);
  }

  async #look({ tap, process }: Works, supervision: Supervision, atProcessor: boolean): Promise<void> {
    // The worker is asked only where nothing comes: as long as bytes come, all is well.
    const isFlowing = this.#bytes > this.#bytesSeen;
    this.#bytesSeen = this.#bytes;
    const packets = isFlowing || tap.track.paused ? null : await tap.packetsSent();
    const processorMs = atProcessor ? await process.processorMs() : null;
    if (this.#state.type !== 'running') return;
    const verdict = supervision.look({ at: performance.now(), packets, bytes: this.#bytes, processorMs });
    if (verdict === 'stalled') this.#finish('recorder_stalled');
    if (verdict === 'needs_key_frame') await tap.requestKeyFrame();
  }

  #tapped(event: TapEvent): void {
    switch (event.type) {
      case 'firstPacket':
        if (this.#state.type === 'opening') this.#beganAt = event.at;
        else this.#began(event.at);
        return;
      case 'paused':
        // Nothing flows, nothing is expected: the file has a gap of the right length.
        return;
      case 'clockJumped':
        return this.#finish('clock_jumped');
      case 'ended':
        return this.#finish(event.reason);
      default:
        return unreachable(event);
    }
  }

  #began(at: number): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    this.#waiting = null;
    this.#call(() => this.#options.onBegan(at));
    for (const bytes of waiting) this.#hand(bytes);
  }

  #came(bytes: Buffer): void {
    this.#bytes += bytes.byteLength;
    if (bytes.byteLength === 0) return;
    if (this.#waiting === null) return this.#hand(bytes);
    this.#waiting.push(bytes);
    if (this.#bytes > LONGEST_WAIT_BYTES) this.#began(this.#beganAt ?? Date.now());
  }

  #hand(bytes: Buffer): void {
    if (this.#state.type === 'ended' || this.#hasFailed) return;
    try {
      this.#options.onBytes(bytes);
    } catch (error) {
      this.#parts.logger.error('recorder.sink_failed', { cause: String(error) });
      if (this.#state.type === 'ending') this.#state = { type: 'ending', end: 'sink_failed' };
      else this.#finish('sink_failed');
    }
  }

  get #hasFailed(): boolean {
    return this.#state.type === 'ending' && this.#state.end === 'sink_failed';
  }

  #finish(end: SegmentEnd): void {
    if (this.#state.type !== 'running') return;
    const { works, looks } = this.#state;
    this.#state = { type: 'ending', end };
    clearInterval(looks);
    works.tap.close();
    void this.#leave(works, end);
  }

  async #leave({ process, lease }: Works, end: SegmentEnd): Promise<void> {
    // One that stands still, or whose bytes nobody takes, has nothing to end.
    if (end === 'recorder_stalled' || end === 'sink_failed') process.kill();
    else await process.finish(lease.rtcpPort);
    await process.gone;
    lease.release();
    if (this.#header !== null) this.#came(this.#header.end());
    if (this.#waiting !== null && this.#waiting.length > 0) this.#began(this.#beganAt ?? Date.now());
    const last = this.#state.type === 'ending' ? this.#state.end : end;
    this.#state = { type: 'ended' };
    this.#parts.logger.info('recorder.segment_ended', { reason: last, bytes: this.#bytes });
    this.#parts.onGone(this);
    this.#call(() => this.#options.onEnded(last));
    this.#gone.resolve();
  }

  /** A listener's fault is not the recording's. */
  #call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#parts.logger.error('listener.failed', { cause: String(error) });
    }
  }
}

function unreachable(event: never): never {
  throw new TypeError(`no such event: ${String(event)}`);
}
