import type { SentTrack, SfuRoom, TrackRecorder } from '@teleconsult/media';
import { AppError } from '@teleconsult/protocol';
import type { Clock, Log } from '../host/ports.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import type { BookedFile, FileBook } from './file-book.ts';
import type { RecordingStore } from './ports.ts';
import { RecordedTrack, type TrackInRoom } from './recorded-track.ts';
import type { RecordingNews } from './recording-news.ts';
import { pause } from './retries.ts';
import { sealRecordingFacts } from './sealed-facts.ts';
import type { SegmentPlaces } from './segment-places.ts';
import type { Wanted } from './wanted.ts';

/** Between tries to write down that a recording has ended. */
const AGAIN_MS = 2_000;

export interface RecordedCallParts {
  readonly store: RecordingStore;
  readonly recorder: TrackRecorder;
  readonly book: FileBook;
  readonly places: SegmentPlaces;
  readonly news: RecordingNews;
  readonly clock: Clock;
  readonly log: Log;
  readonly keyOf: () => Promise<ConsultationKey>;
  /** Where the call's media is now; null while it is nowhere. */
  readonly room: () => SfuRoom | null;
  readonly isClosing: () => boolean;
  /** Gives up writing down its end; the next start does it. */
  readonly signal: AbortSignal;
  /** A recording before this one in the same call still holds its tracks; null: none does. */
  readonly after: Promise<void> | null;
}

/** One recording of one call: makes what is recorded follow what should be. */
export class RecordedCall {
  readonly #parts: RecordedCallParts;
  #wanted: Wanted;
  /** By person and source. */
  readonly #tracks = new Map<string, RecordedTrack>();
  #created: Promise<void> | null = null;
  #isFree: boolean;

  constructor(parts: RecordedCallParts, wanted: Wanted) {
    this.#parts = parts;
    this.#wanted = wanted;
    this.#isFree = parts.after === null;
    void parts.after?.finally(() => {
      this.#isFree = true;
      this.refresh();
    });
    this.refresh();
  }

  /** The state says something new. */
  want(wanted: Wanted): void {
    this.#wanted = wanted;
    this.refresh();
  }

  /** Begins and stops what should be recorded now and is not, or is and should not be. */
  refresh(): void {
    const sent = this.#sentTracks();
    for (const [name, recorded] of this.#tracks) if (!sent.has(name)) recorded.want(null);
    for (const [name, inRoom] of sent) {
      const recorded = this.#tracks.get(name) ?? this.#newTrack();
      this.#tracks.set(name, recorded);
      recorded.want(inRoom);
    }
  }

  /** Resolves when nothing is recorded any more, within a second after nobody is to be recorded. */
  async stopped(): Promise<void> {
    await Promise.all([...this.#tracks.values()].map((track) => track.stopped()));
  }

  /** Stops, and closes every file. */
  async settle(): Promise<void> {
    this.want({ ...this.#wanted, people: [] });
    await Promise.all([...this.#tracks.values()].map((track) => track.settled()));
  }

  /** Stops, closes every file and writes down that the recording is there. Never throws. */
  async end(at: number): Promise<void> {
    const { log } = this.#parts;
    await this.settle();
    try {
      await endRecording(this.#parts, this.#wanted, at);
    } catch (error) {
      log.error('recording.notEnded', { recording: this.#wanted.recordingId, error });
    }
  }

  /** What those who are to be recorded send now, by person and source. */
  #sentTracks(): ReadonlyMap<string, TrackInRoom> {
    const { people } = this.#wanted;
    const room = this.#isFree && people.length > 0 ? this.#parts.room() : null;
    if (room === null || room.closed) return new Map();
    const tracks = room.tracks().filter(({ seatId }) => people.some((person) => person === seatId));
    return new Map(tracks.map((track) => [`${track.seatId}|${track.source}`, { room, track }]));
  }

  #newTrack(): RecordedTrack {
    return new RecordedTrack({
      ...this.#parts,
      beginFile: (track, contentType, startedAt) => this.#beginFile(track, contentType, startedAt),
      isWanted: ({ seatId }) => this.#wanted.people.some((person) => person === seatId),
      refresh: () => this.refresh(),
    });
  }

  async #beginFile(track: SentTrack, contentType: string, startedAt: number): Promise<BookedFile> {
    const { book, keyOf } = this.#parts;
    const wanted = this.#wanted;
    const personId = wanted.people.find((person) => person === track.seatId);
    // Whoever is not to be recorded by now has taken it back while the segment began.
    if (personId === undefined) throw new AppError('WRONG_STATE');
    const key = await keyOf();
    this.#created ??= this.#create(wanted, key);
    await this.#created.catch((error: unknown) => {
      this.#created = null;
      throw error;
    });
    return book.begin(wanted, key, {
      personId,
      source: track.source,
      contentType,
      startedAt: Math.round(startedAt),
    });
  }

  async #create(wanted: Wanted, key: ConsultationKey): Promise<void> {
    const { store, clock, log, news } = this.#parts;
    const { recordingId, consultationId, callId, startedBy } = wanted;
    const { created } = await store.createRecording({
      recordingId,
      consultationId,
      purpose: 'consultation',
      startedBy,
      startedAt: clock(),
      endedAt: null,
      state: 'running',
      clientId: null,
      sealed: sealRecordingFacts(key, recordingId, {
        callId,
        followUpId: null,
        composition: { state: 'none' },
      }),
    });
    if (!created) return;
    log.info('recording.began', { consultation: consultationId, call: callId, recording: recordingId });
    news.changed(consultationId, recordingId);
  }
}

export interface EndingParts extends Pick<RecordedCallParts, 'store' | 'log' | 'signal'> {
  readonly news: Pick<RecordingNews, 'changed'>;
}

/**
 * Writes down that a recording has ended. One that never had a byte was never written down.
 * @throws AppError what cannot be repeated, or when it was given up
 */
export async function endRecording(
  { store, log, news, signal }: EndingParts,
  { recordingId, consultationId }: Pick<Wanted, 'recordingId' | 'consultationId'>,
  at: number,
): Promise<void> {
  for (;;)
    try {
      const recording = await store.loadRecording(recordingId);
      if (recording?.state !== 'running') return;
      const { sealed } = recording;
      if (!(await store.updateRecording({ recordingId, state: 'ready', endedAt: at, sealed }, ['running'])))
        return;
      log.info('recording.ended', { consultation: consultationId, recording: recordingId });
      news.changed(consultationId, recordingId);
      return;
    } catch (error) {
      if (signal.aborted || !(error instanceof AppError) || !error.retryable) throw error;
      await pause(AGAIN_MS, signal);
    }
}
