import {
  RecorderError,
  type SentTrack,
  SfuError,
  type SfuRoom,
  type TrackRecorder,
} from '@teleconsult/media';
import type { TruncationReason } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { Clock, Log } from '../host/ports.ts';
import type { BookedFile, FileBook } from './file-book.ts';
import { type EndedSegment, RecordedSegment, type RecordedSegmentParts } from './recorded-segment.ts';
import { pause, Retries } from './retries.ts';
import type { SegmentPlaces } from './segment-places.ts';

/** A track where it is sent now. Another room or another producer is another track. */
/** A file that ran for so long and ended whole says nothing against the next. */
const SOUND_FILE_MS = 1_000;

export interface TrackInRoom {
  readonly room: SfuRoom;
  readonly track: SentTrack;
}

export interface RecordedTrackParts {
  readonly recorder: TrackRecorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly book: FileBook;
  readonly places: SegmentPlaces;
  readonly beginFile: (
    track: SentTrack,
    ...file: Parameters<RecordedSegmentParts['beginFile']>
  ) => Promise<BookedFile>;
  /** Whether the person is to be recorded, wherever their track is. */
  readonly isWanted: (track: SentTrack) => boolean;
  /** Looks anew at what should be recorded, and says so by `want`. */
  readonly refresh: () => void;
  /** The server stops: what ends now is cut off. */
  readonly isClosing: () => boolean;
}

/** Wanted tracks end by this; each has a signal that says when. */
interface Wish extends TrackInRoom {
  readonly control: AbortController;
}

/**
 * Keeps one source of one person recorded while it is wanted: one segment and one file at a time, a new one where the last
 * ended by itself.
 */
export class RecordedTrack {
  readonly #parts: RecordedTrackParts;
  readonly #retries = new Retries();
  #wish: Wish | null = null;
  #running: Promise<void> | null = null;
  /** Files that are being closed. */
  readonly #ending = new Set<Promise<void>>();

  constructor(parts: RecordedTrackParts) {
    this.#parts = parts;
  }

  /** What is to be recorded from now on; null: nothing. What runs and is not that any more stops within a second. */
  want(wanted: TrackInRoom | null): void {
    const former = this.#wish;
    if (former === null && wanted === null) return;
    if (
      former !== null &&
      wanted !== null &&
      former.room === wanted.room &&
      former.track.producerId === wanted.track.producerId
    )
      return;
    this.#wish = wanted === null ? null : { ...wanted, control: new AbortController() };
    former?.control.abort();
    if (this.#wish !== null) this.#running ??= this.#run();
  }

  /** Resolves when no segment runs, which is within a second after nothing is wanted. */
  async stopped(): Promise<void> {
    await this.#running;
  }

  /** Resolves when the files of all segments that ended are closed and written down. */
  async settled(): Promise<void> {
    await this.#running;
    await Promise.all(this.#ending);
  }

  async #run(): Promise<void> {
    try {
      for (let wish = this.#wish; wish !== null; wish = this.#wish) {
        const waitMs = await this.#record(wish);
        if (wish.control.signal.aborted) continue;
        // The track may be gone, and its end not told yet.
        this.#parts.refresh();
        await pause(waitMs, wish.control.signal);
      }
    } finally {
      this.#running = null;
    }
  }

  /** Records one segment to its end; answers how long to wait before the next. */
  async #record(wish: Wish): Promise<number> {
    const { places, clock, log } = this.#parts;
    const { signal } = wish.control;
    const place = places.take();
    if (place === null) {
      log.warn('recording.overloaded');
      return this.#retries.failed(clock(), 0, 'storage');
    }
    try {
      const segment = await this.#begin(wish);
      if (segment === null) return this.#retries.failed(clock(), 0, 'media');
      const stop = (): void => void segment.stop();
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      const ended = await segment.ended();
      signal.removeEventListener('abort', stop);
      return this.#afterEnd(ended, wish);
    } catch (error) {
      log.error('recording.failed', { error });
      return this.#retries.failed(clock(), 0, 'storage');
    } finally {
      place.release();
    }
  }

  async #begin(wish: Wish): Promise<RecordedSegment | null> {
    const { recorder, clock, beginFile, log } = this.#parts;
    const { room, track, control } = wish;
    try {
      return await RecordedSegment.begin(
        { recorder, clock, room, track, beginFile: (type, at) => beginFile(track, type, at) },
        control.signal,
      );
    } catch (error) {
      // A track or room that is gone meanwhile is looked for anew.
      if (error instanceof SfuError) return null;
      if (!(error instanceof RecorderError)) throw error;
      log.warn('recording.notBegun', { reason: error.reason });
      return null;
    }
  }

  #afterEnd(ended: EndedSegment, { room, track, control }: Wish): number {
    const { book, clock, log, isClosing, isWanted } = this.#parts;
    const isRoomLost = room.closed && isWanted(track);
    const reason = isClosing() ? 'server_stopped' : truncationOf(ended, isRoomLost);
    if (ended.file !== null) {
      const at = Math.round(ended.lastAt);
      const closing = book
        .end(ended.file, { lastAt: at, truncated: reason === null ? null : { at, reason } })
        .finally(() => this.#ending.delete(closing));
      this.#ending.add(closing);
    }
    if (control.signal.aborted) return 0;
    if (reason !== null)
      log.warn('recording.segmentLost', {
        ...(ended.file === null ? {} : { file: ended.file.place.fileId }),
        reason: ended.end,
        ...(ended.failure === null ? {} : { code: ended.failure.code }),
      });
    // The file is all that was said: a sender that stops its clock while muted does so with each mute.
    if (reason === null && ended.ranMs >= SOUND_FILE_MS) return 0;
    const why = ended.failure === null ? 'media' : 'storage';
    return this.#retries.failed(clock(), ended.ranMs, why);
  }
}

/** Why the file is not all that its speaker said; null: it is. */
function truncationOf({ end, failure }: EndedSegment, isRoomLost: boolean): TruncationReason | null {
  if (failure !== null) return 'storage_failed';
  switch (end) {
    // The room ends with its call, or with the worker that had it.
    case 'stopped':
    case 'track_ended':
    case 'room_closed':
      return isRoomLost ? 'recorder_failed' : null;
    // The next file goes on where this one ends.
    case 'clock_jumped':
      return null;
    case 'recorder_died':
    case 'recorder_stalled':
      return 'recorder_failed';
    case 'sink_failed':
      return 'storage_failed';
    default:
      return unreachable(end);
  }
}
