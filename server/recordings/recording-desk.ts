import type { SfuRoom, TrackRecorder } from '@teleconsult/media';
import type { CallId, ConsultationId, RecordingId } from '@teleconsult/protocol';
import type { Stepped } from '../host/batch.ts';
import type { Clock, IdGenerator, Log } from '../host/ports.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import { FileBook } from './file-book.ts';
import type { FilePlace, RecordingStore, TrackFiles } from './ports.ts';
import { endRecording, RecordedCall } from './recorded-call.ts';
import type { RecordingNews } from './recording-news.ts';
import { SegmentPlaces } from './segment-places.ts';
import { type Wanted, wantedOf } from './wanted.ts';

export interface RecordingDeskParts {
  readonly store: RecordingStore;
  readonly files: TrackFiles;
  /** null: there is no recording program on this machine. */
  readonly recorder: TrackRecorder | null;
  readonly ids: Pick<IdGenerator, 'fileId'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly news: RecordingNews;
  readonly keyOf: (consultationId: ConsultationId) => Promise<ConsultationKey>;
  /** Where the media of a call is; null while it is nowhere. */
  readonly roomOf: (callId: CallId) => SfuRoom | null;
  /** Most tracks that are recorded at the same time. */
  readonly maxTracks: number;
  /** A file is finished: its length and loudness can be found out. */
  readonly measuring: (place: FilePlace) => void;
}

interface OfCall {
  readonly recordingId: RecordingId;
  readonly recorded: RecordedCall;
}

/**
 * Makes what is recorded follow the committed state of calls and the tracks that are there. The state is the truth: whether
 * a room appears before it or after it, both lead to a look at what should be.
 */
export class RecordingDesk {
  readonly #parts: RecordingDeskParts;
  readonly #news: RecordingNews;
  readonly #places: SegmentPlaces;
  readonly #book: FileBook;
  /** Recordings that run. */
  readonly #running = new Map<CallId, OfCall>();
  /** Until these have stopped, a further recording of the call waits: no track is recorded twice. */
  readonly #stopping = new Map<CallId, Promise<void>>();
  /** Recordings that end: their last files are being closed. */
  readonly #ending = new Set<Promise<void>>();
  /** Gives up what waits for a store that cannot be written. */
  readonly #givenUp = new AbortController();
  #closing: Promise<void> | null = null;

  constructor(parts: RecordingDeskParts) {
    this.#parts = parts;
    this.#news = parts.news;
    this.#places = new SegmentPlaces(parts.maxTracks);
    this.#book = new FileBook({ ...parts, news: this.#news, signal: this.#givenUp.signal });
  }

  /** Whether a recording may be asked for now: two tracks are the least there is to record. */
  canRecord(): 'yes' | 'not_configured' | 'overloaded' {
    if (this.#parts.recorder === null) return 'not_configured';
    return this.#closing !== null || this.#places.free < 2 ? 'overloaded' : 'yes';
  }

  /** A change of a consultation that is on disk. */
  handleChange({ before, after }: Stepped): void {
    if (this.#closing !== null || before.call === after.call) return;
    const former = wantedOf(before);
    const wanted = wantedOf(after);
    if (former !== null && former.recordingId !== wanted?.recordingId) this.#end(former);
    if (wanted !== null) this.#follow(wanted);
  }

  /** A track of a call began, was muted or ended. */
  handleTracks(callId: CallId): void {
    this.#running.get(callId)?.recorded.refresh();
  }

  /** Stops every segment and closes every file; what could not be written down is found at the next start. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      const running = [...this.#running.values()];
      this.#running.clear();
      const settled = Promise.all(running.map(({ recorded }) => recorded.settle()));
      // A store that could not be written until now is not waited for.
      this.#givenUp.abort();
      await settled;
      await Promise.all(this.#ending);
      this.#news.close();
    })();
    return this.#closing;
  }

  #follow(wanted: Wanted): void {
    const { callId, recordingId, people } = wanted;
    const running = this.#running.get(callId);
    if (running?.recordingId === recordingId) {
      running.recorded.want(wanted);
      return;
    }
    if (people.length === 0) return;
    const recorded = this.#begin(wanted);
    if (recorded !== null) this.#running.set(callId, { recordingId, recorded });
  }

  #begin(wanted: Wanted): RecordedCall | null {
    const { recorder, roomOf, keyOf } = this.#parts;
    // The state was written when there was a recorder: nothing is recorded, and the thread says when it stopped.
    if (recorder === null) return null;
    const { consultationId, callId } = wanted;
    return new RecordedCall(
      {
        ...this.#parts,
        recorder,
        book: this.#book,
        places: this.#places,
        news: this.#news,
        keyOf: () => keyOf(consultationId),
        room: () => roomOf(callId),
        isClosing: () => this.#closing !== null,
        signal: this.#givenUp.signal,
        after: this.#stopping.get(callId) ?? null,
      },
      wanted,
    );
  }

  /** Also of a recording that nothing was recorded of since the server was started. */
  #end(former: Wanted): void {
    const { clock, log } = this.#parts;
    const { callId, recordingId } = former;
    const running = this.#running.get(callId);
    const recorded = running?.recordingId === recordingId ? running.recorded : null;
    const at = clock();
    const parts = { ...this.#parts, news: this.#news, signal: this.#givenUp.signal };
    const ending: Promise<void> = (recorded?.end(at) ?? endRecording(parts, former, at))
      .catch((error: unknown) => log.error('recording.notEnded', { recording: recordingId, error }))
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
    if (recorded === null) return;
    this.#running.delete(callId);
    // Where this one waited for another it had no track, and the other may have its own still.
    const stopping = Promise.all([this.#stopping.get(callId), recorded.stopped()]).then(() => {
      if (this.#stopping.get(callId) === stopping) this.#stopping.delete(callId);
    });
    this.#stopping.set(callId, stopping);
  }
}
