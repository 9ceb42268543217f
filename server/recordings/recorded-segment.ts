import type { Segment, SegmentEnd, SentTrack, SfuRoom, TrackRecorder } from '@teleconsult/media';
import { AppError } from '@teleconsult/protocol';
import type { Clock } from '../host/ports.ts';
import type { BookedFile } from './file-book.ts';

/** Most bytes that wait while a file is begun: a second of the largest picture, several times over. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;
/** What comes out of a recorder later than this after it was told to stop is thrown away. */
export const STOP_MS = 1_000;

export interface RecordedSegmentParts {
  readonly recorder: TrackRecorder;
  readonly clock: Clock;
  readonly room: SfuRoom;
  readonly track: SentTrack;
  /** Begins the file; asked once, when there is something to write. */
  readonly beginFile: (contentType: string, startedAt: number) => Promise<BookedFile>;
}

export interface EndedSegment {
  readonly end: SegmentEnd;
  readonly ranMs: number;
  /** Why it could not be stored; null when it was. */
  readonly failure: AppError | null;
  /** null: nobody said or showed anything. */
  readonly file: BookedFile | null;
  /** When its last byte came. */
  readonly lastAt: number;
}

/**
 * One segment of one track on its way into one file. The file is begun when the first sound or picture is there, so that
 * a muted track leaves nothing; what comes meanwhile waits in memory, bounded.
 */
export class RecordedSegment {
  readonly #parts: RecordedSegmentParts;
  readonly #ended = Promise.withResolvers<SegmentEnd>();
  readonly #beganAtMs: number;
  #segment: Segment | null = null;
  #contentType: string | null = null;
  #startedAt: number | null = null;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #file: BookedFile | null = null;
  #opening: Promise<void> | null = null;
  #failure: AppError | null = null;
  #lastAt: number;
  /** Takes nothing any more, whatever the recorder still has. */
  #isShut = false;
  #stopping: Promise<void> | null = null;

  private constructor(parts: RecordedSegmentParts) {
    this.#parts = parts;
    this.#beganAtMs = parts.clock();
    this.#lastAt = this.#beganAtMs;
  }

  /**
   * @param signal the track is not to be recorded any more
   * @throws SfuError, RecorderError as the recorder does
   */
  static async begin(parts: RecordedSegmentParts, signal: AbortSignal): Promise<RecordedSegment> {
    const recorded = new RecordedSegment(parts);
    const shut = (): void => {
      recorded.#isShut = true;
    };
    // Nothing of a person who takes the consent back is kept, even while a segment only begins.
    signal.addEventListener('abort', shut, { once: true });
    try {
      const { room, track, recorder } = parts;
      const { seatId, source } = track;
      const segment = await recorder.begin({
        room,
        seatId,
        source,
        onBytes: (bytes) => recorded.#take(bytes),
        onBegan: (at) => recorded.#begins(at),
        onEnded: (end) => recorded.#ended.resolve(end),
      });
      recorded.#segment = segment;
      recorded.#contentType = segment.contentType;
      recorded.#openFile();
      return recorded;
    } finally {
      signal.removeEventListener('abort', shut);
    }
  }

  /** Ends it within a second; what was sent before is kept. May be called twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Resolves when the segment has ended and nothing more comes. */
  async ended(): Promise<EndedSegment> {
    const end = await this.#ended.promise;
    this.#isShut = true;
    await this.#opening;
    this.#held = [];
    return {
      end,
      ranMs: this.#parts.clock() - this.#beganAtMs,
      failure: this.#failure,
      file: this.#file,
      lastAt: this.#lastAt,
    };
  }

  async #stop(): Promise<void> {
    const limit = setTimeout(() => {
      this.#isShut = true;
      this.#ended.resolve('stopped');
    }, STOP_MS);
    try {
      await Promise.race([this.#segment?.stop(), this.#ended.promise]);
    } catch {
      // A recorder that cannot even be stopped is listened to no longer.
      this.#isShut = true;
      this.#ended.resolve('stopped');
    } finally {
      clearTimeout(limit);
    }
  }

  /** @param at by the machine's clock, which may be set while the server's goes on */
  #begins(at: number): void {
    this.#startedAt ??= this.#parts.clock() - (Date.now() - at);
    this.#openFile();
  }

  /** Throws what ends the segment with `sink_failed`. */
  #take(bytes: Buffer): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#isShut) return;
    if (this.#file !== null) {
      this.#append(this.#file, bytes);
      return;
    }
    this.#heldBytes += bytes.byteLength;
    if (this.#heldBytes > MAX_HELD_BYTES) {
      this.#failure = new AppError('STORAGE_UNAVAILABLE', { cause: new Error('No file was begun in time.') });
      throw this.#failure;
    }
    this.#held.push(bytes);
    this.#openFile();
  }

  #append({ file }: BookedFile, bytes: Buffer): void {
    try {
      file.append(bytes);
      this.#lastAt = this.#parts.clock();
    } catch (error) {
      this.#failure = error instanceof AppError ? error : new AppError('INTERNAL', { cause: error });
      throw this.#failure;
    }
  }

  #openFile(): void {
    const { beginFile } = this.#parts;
    if (this.#opening !== null || this.#isShut || this.#failure !== null) return;
    if (this.#contentType === null || this.#startedAt === null || this.#held.length === 0) return;
    this.#opening = this.#flowInto(beginFile(this.#contentType, this.#startedAt));
  }

  async #flowInto(beginning: Promise<BookedFile>): Promise<void> {
    try {
      const booked = await beginning;
      this.#file = booked;
      // What was taken while it was begun is written even when the segment has ended meanwhile.
      for (const bytes of this.#held) this.#append(booked, bytes);
      this.#held = [];
    } catch (error) {
      this.#failure ??= error instanceof AppError ? error : new AppError('INTERNAL', { cause: error });
      this.#held = [];
      // The recorder learns it with its next bytes, which a silent track may not have.
      void this.stop();
    }
  }
}
