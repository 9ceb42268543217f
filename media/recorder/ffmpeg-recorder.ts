import type { MediaLogger } from '../mediasoup/settings.ts';
import { FfmpegSegment } from './ffmpeg-segment.ts';
import { findJail, type Jail } from './jail.ts';
import { PortLeases } from './port-leases.ts';
import { RecorderError, type SegmentOptions, type TrackRecorder } from './recorder.ts';

export interface FfmpegRecorderOptions {
  /** Path of ffmpeg, or its name where it is where programs usually are. */
  readonly ffmpegPath: string;
  readonly logger: MediaLogger;
}

/** A segment of this recorder; its process is told for tests that kill it and for an operator's eyes. */
export type { FfmpegSegment } from './ffmpeg-segment.ts';

/**
 * Records with one ffmpeg a track, which copies the stream and encodes nothing. The sound goes from the worker to ffmpeg
 * over the loopback and from ffmpeg to the owner through a pipe: none of it ever reaches a disk. Needs Linux, whose /proc
 * tells which process has a port.
 */
export class FfmpegRecorder implements TrackRecorder {
  readonly #options: FfmpegRecorderOptions;
  readonly #ports = new PortLeases();
  readonly #segments = new Set<FfmpegSegment>();
  /** Segments that are just being opened. */
  readonly #beginning = new Set<Promise<unknown>>();
  #jail: Jail | null = null;
  #closed = false;

  constructor(options: FfmpegRecorderOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#segments.size;
  }

  async begin(options: SegmentOptions): Promise<FfmpegSegment> {
    const beginning = this.#begin(options);
    this.#beginning.add(beginning);
    try {
      return await beginning;
    } finally {
      this.#beginning.delete(beginning);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#beginning);
    await Promise.all([...this.#segments].map((segment) => segment.stop()));
  }

  async #begin(options: SegmentOptions): Promise<FfmpegSegment> {
    if (this.#closed) throw new RecorderError('closed');
    // Looked for again until it is there: ffmpeg may be installed while the server runs.
    this.#jail ??= await this.#findJail();
    const segment = await FfmpegSegment.begin(options, {
      jail: this.#jail,
      ports: this.#ports,
      logger: this.#options.logger,
      onRunning: (running) => this.#segments.add(running),
      onGone: (gone) => this.#segments.delete(gone),
    });
    if (!this.#closed) return segment;
    await segment.stop();
    throw new RecorderError('closed');
  }

  async #findJail(): Promise<Jail> {
    const jail = await findJail(this.#options.ffmpegPath);
    if (jail === null) throw new RecorderError('no_program');
    const fetters = { setpriv: jail.setpriv !== null, prlimit: jail.prlimit !== null };
    if (!fetters.setpriv || !fetters.prlimit) this.#options.logger.warn('recorder.jail_incomplete', fetters);
    return jail;
  }
}

export function createFfmpegRecorder(options: FfmpegRecorderOptions): FfmpegRecorder {
  return new FfmpegRecorder(options);
}
