import { AppError, type ConsultationId, type RecordingId } from '@teleconsult/protocol';
import type { Clock, Log } from '../host/ports.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import type { LocalTrackFiles, StoredJournals } from './local-track-files.ts';
import type { FilePlace, RecordingStore, StoredFile, StoredRecording } from './ports.ts';
import { isOfCall } from './purposes.ts';
import { endRecording } from './recorded-call.ts';
import type { RecordingNews } from './recording-news.ts';
import { pause } from './retries.ts';
import { soundMs } from './sample-format.ts';
import { type FileFacts, openFileFacts, openRecordingFacts, sealFileFacts } from './sealed-facts.ts';

/** Files that are taken up at the same time. */
const ABREAST = 4;
/** A store or key that cannot be used now is asked again after this. */
const AGAIN_MS = 5_000;

export interface RecoveryParts {
  readonly store: RecordingStore;
  readonly files: Pick<
    LocalTrackFiles,
    'settle' | 'salvage' | 'finish' | 'remove' | 'stored' | 'setAside' | 'lastWrittenAt'
  >;
  readonly clock: Clock;
  readonly log: Log;
  readonly news: Pick<RecordingNews, 'changed'>;
  readonly keyOf: (consultationId: ConsultationId) => Promise<ConsultationKey>;
  /** The recording of the call that runs in a consultation now. */
  readonly recordingOf: (consultationId: ConsultationId) => Promise<RecordingId | null>;
  readonly measuring: (place: FilePlace) => void;
  readonly signal: AbortSignal;
}

/**
 * Takes up what the last process left, whether it was killed or could not write its end: files of calls are finished as far
 * as they go, marked as cut off and listed; their bytes are sealed on the local disk already and become parts behind
 * everything else. Dictations grow on when their device comes back, and compositions are their owner's.
 */
export class Recovery {
  readonly #parts: RecoveryParts;
  /** Recordings of phone calls that ran when this began: later ones are not cut off but running. */
  #phoneCalls: readonly StoredRecording[] = [];
  /** Files that could not be finished yet: their recordings have not ended. */
  readonly #unfinished = new Set<StoredFile['fileId']>();
  /** What is tried again. */
  readonly #later: Promise<void>[] = [];

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  /** Finishes every file of a call that did not end. What cannot be finished now is tried again behind it; never throws. */
  async finishFiles(): Promise<void> {
    const { signal } = this.#parts;
    const [growing, running] = await Promise.all([this.#cutOff(), this.#runningNow()]);
    this.#phoneCalls = running.filter(({ purpose }) => purpose === 'phone_call');
    const left: StoredFile[] = [];
    const files = growing.values();
    const work = async (): Promise<void> => {
      for (const file of files) {
        if (signal.aborted) return;
        if (!(await this.#finishNow(file))) left.push(file);
      }
    };
    await Promise.all(Array.from({ length: ABREAST }, work));
    // What is not done when the server stops, the next start does.
    if (signal.aborted) return;
    for (const { fileId } of left) this.#unfinished.add(fileId);
    this.#later.push(
      this.#until(left, async (file) => {
        const isDone = await this.#finishNow(file);
        if (isDone) this.#unfinished.delete(file.fileId);
        return isDone;
      }),
    );
    await this.#sortJournals(new Set(growing.map(({ fileId }) => fileId)));
  }

  /** Ends recordings of calls that do not run any more. After the calls were taken up; never throws. */
  async endRecordings(): Promise<void> {
    const { signal } = this.#parts;
    const calls = (await this.#runningNow()).filter(({ purpose }) => purpose === 'consultation');
    const left: StoredRecording[] = [];
    for (const recording of [...this.#phoneCalls, ...calls]) {
      if (signal.aborted) return;
      if (!(await this.#endNow(recording))) left.push(recording);
    }
    this.#later.push(this.#until(left, (recording) => this.#endNow(recording)));
  }

  /** Resolves soon after the signal when nothing of the store is touched any more. */
  async stopped(): Promise<void> {
    await Promise.all(this.#later);
  }

  async #runningNow(): Promise<readonly StoredRecording[]> {
    const { store, log } = this.#parts;
    return store.runningRecordings().catch((error: unknown) => {
      log.error('recording.notTakenUp', { error });
      return [];
    });
  }

  /** False: it may be tried again. */
  async #endNow(recording: StoredRecording): Promise<boolean> {
    const { store, log, clock, recordingOf } = this.#parts;
    const { recordingId, consultationId } = recording;
    try {
      if ((await recordingOf(consultationId)) === recordingId) return true;
      const files = await store.filesOf(recordingId);
      if (files.some(({ fileId }) => this.#unfinished.has(fileId))) return false;
      if (await this.#isToBeFetched(recording)) return true;
      await endRecording(this.#parts, recording, await this.#endOf(recording, clock()));
      return true;
    } catch (error) {
      log.error('recording.notEnded', { recording: recordingId, error });
      return !(error instanceof AppError && error.retryable);
    }
  }

  /** It lies at a provider still, and ends when it is here. */
  async #isToBeFetched({ purpose, recordingId, consultationId, sealed }: StoredRecording): Promise<boolean> {
    if (purpose !== 'phone_call') return false;
    const key = await this.#parts.keyOf(consultationId);
    return openRecordingFacts(key, { recordingId, sealed }).fetched !== undefined;
  }

  /** The end of its last file is the end of what was recorded. */
  async #endOf({ recordingId, startedAt, consultationId }: StoredRecording, now: number): Promise<number> {
    const { store, keyOf } = this.#parts;
    const key = await keyOf(consultationId);
    const ends = (await store.filesOf(recordingId)).map((file) => {
      const facts = openFileFacts(key, file);
      return (facts.startedAt ?? file.createdAt) + (facts.durationMs ?? 0);
    });
    return Math.min(now, Math.max(startedAt, ...ends));
  }

  async #cutOff(): Promise<StoredFile[]> {
    const { store, log } = this.#parts;
    const found: StoredFile[] = [];
    try {
      for (const file of await store.growingFiles()) {
        const recording = file.kind === 'track' ? await store.loadRecording(file.recordingId) : null;
        if (recording !== null && isOfCall(recording)) found.push(file);
      }
    } catch (error) {
      log.error('recording.notTakenUp', { error });
    }
    return found;
  }

  /** False: it may be tried again. */
  async #finishNow(file: StoredFile): Promise<boolean> {
    const { log } = this.#parts;
    const { recordingId, fileId } = file;
    try {
      await this.#finish(file);
      return true;
    } catch (error) {
      const mayRepeat = error instanceof AppError && error.retryable;
      log.error('recording.notRecovered', { recording: recordingId, file: fileId, error });
      return !mayRepeat;
    }
  }

  /** Tries again what may be tried again, until all is done or the server stops. */
  async #until<T>(left: readonly T[], isDone: (one: T) => Promise<boolean>): Promise<void> {
    const { signal } = this.#parts;
    for (let waiting = left; waiting.length > 0 && !signal.aborted; ) {
      await pause(AGAIN_MS, signal);
      const still: T[] = [];
      for (const one of waiting) if (!signal.aborted && !(await isDone(one))) still.push(one);
      waiting = still;
    }
  }

  async #finish(file: StoredFile): Promise<void> {
    const { store, files, keyOf, log, news, measuring, clock } = this.#parts;
    const { consultationId, recordingId, fileId } = file;
    const key = await keyOf(consultationId);
    const place: FilePlace = { consultationId, recordingId, fileId, key };
    const facts = openFileFacts(key, file);
    // Before it is sealed anew: the time of the file is when its last bytes came.
    const at = (await files.lastWrittenAt(fileId)) ?? facts.startedAt ?? Math.min(file.createdAt, clock());
    const size = await this.#settled(place, file);
    if (size.byteSize === 0) {
      await files.remove(place);
      await store.removeFile(fileId);
      return;
    }
    const durationMs = lengthOf(facts, size.byteSize, at);
    const truncated = { at, reason: 'server_stopped' } as const;
    const sealed = sealFileFacts(key, fileId, { ...facts, durationMs, truncated });
    await store.updateFile({ fileId, state: 'truncated', ...size, sealed });
    log.warn('recording.recovered', { recording: recordingId, file: fileId });
    news.changed(consultationId, recordingId);
    measuring(place);
  }

  /** Of a file that is damaged what lies before is kept; one of which nothing is left is listed, and reading it says so. */
  async #settled(place: FilePlace, file: StoredFile): Promise<{ byteSize: number; parts: number }> {
    const { files, log } = this.#parts;
    try {
      return await files.settle(place, file.parts);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'INTEGRITY') throw error;
      log.error('recording.damaged', { recording: file.recordingId, file: file.fileId, error });
      const size = await files.salvage(place, file.parts);
      return size.byteSize > 0
        ? size
        : { byteSize: Math.max(1, file.byteSize), parts: Math.max(1, file.parts) };
    }
  }

  /** Journals of finished files become parts; those that no file is known of are told and set aside. */
  async #sortJournals(known: ReadonlySet<StoredFile['fileId']>): Promise<void> {
    const { files, log } = this.#parts;
    try {
      const { files: stored, strange } = await files.stored();
      const unknown = [...strange];
      for (const journals of stored)
        if (!known.has(journals.fileId) && !(await this.#isKnown(journals))) unknown.push(...journals.names);
      if (unknown.length === 0) return;
      await files.setAside(unknown);
      log.error('recording.unknownJournals', { count: unknown.length });
    } catch (error) {
      log.error('recording.notTakenUp', { error });
    }
  }

  async #isKnown({ fileId }: StoredJournals): Promise<boolean> {
    const { store, files, keyOf } = this.#parts;
    const file = await store.loadFile(fileId);
    if (file === null) return false;
    if (file.state === 'growing') return true;
    const { consultationId, recordingId, parts } = file;
    await files.finish({ consultationId, recordingId, fileId, key: await keyOf(consultationId) }, parts);
    return true;
  }
}

/** As long as what is there lasts, where that can be told; else until its last bytes came. */
function lengthOf({ samples, startedAt }: FileFacts, byteSize: number, at: number): number {
  if (samples !== undefined) return soundMs(samples, byteSize);
  return startedAt === null ? 0 : Math.max(0, at - startedAt);
}
