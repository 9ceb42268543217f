import { setTimeout as wait } from 'node:timers/promises';
import { AppError, type Composition, type FileId, type RecordingId } from '@teleconsult/protocol';
import type { Clock, IdGenerator, Log } from '../host/ports.ts';
import type { RecordingStore, StoredFile, StoredRecording, TrackFiles } from '../recordings/ports.ts';
import {
  type FileFacts,
  openFileFacts,
  openRecordingFacts,
  sealFileFacts,
  sealRecordingFacts,
} from '../recordings/sealed-facts.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import { type ComposeOutcome, composeTracks } from './compose-tracks.ts';
import {
  type ComposedTrack,
  type CompositionPlan,
  MAX_COMPOSED_MS,
  MAX_COMPOSED_TRACKS,
  planComposition,
} from './composition-plan.ts';
import { demuxerOf } from './measure-file.ts';
import type { Measuring } from './measuring.ts';
import type { MediaTools } from './media-child.ts';
import type { Consultations, Seen } from './recording-access.ts';

export interface ComposingParts {
  readonly store: RecordingStore;
  readonly files: TrackFiles;
  readonly host: Consultations;
  readonly ids: Pick<IdGenerator, 'fileId'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly tools: MediaTools;
  readonly measuring: Pick<Measuring, 'measure'>;
  /** A composition waits, works, has come further, or has ended. */
  readonly onChanged: (recording: StoredRecording) => void;
}

/** Compositions that wait; each is minutes of work. */
const MAX_WAITING = 32;
/** How often it is told how far a composition has come, in milliseconds. */
const TELL_MS = 900;
/** A store that cannot be used now is tried again, so often and after so long, in milliseconds. */
const TRIES = 3;
const TRY_AGAIN_MS = 200;

interface Job {
  readonly recordingId: RecordingId;
  readonly fileId: FileId;
}

interface Running extends Job {
  readonly stopping: AbortController;
  readonly ended: Promise<void>;
  progress: number;
}

/**
 * Makes one file of all tracks of a recording, one recording at a time. The file that grows in the store is the job: what a
 * stop of the server cuts off begins anew after the next start.
 */
export class Composing {
  readonly #parts: ComposingParts;
  readonly #closing = new AbortController();
  #waiting: Job[] = [];
  #running: Running | null = null;

  constructor(parts: ComposingParts) {
    this.#parts = parts;
  }

  /** Takes up what a stop of the server has cut off. */
  async start(): Promise<void> {
    for (const { kind, recordingId, fileId } of await this.#parts.store.growingFiles())
      if (kind === 'composed') this.#waiting.push({ recordingId, fileId });
    this.#next();
  }

  /**
   * Asks for it; again changes nothing. The caller has the recording's turn.
   * @throws AppError WRONG_STATE while it is recorded, OVERLOADED when too many wait, NOT_CONFIGURED without ffmpeg
   */
  async ask({ recording, facts, key }: Seen): Promise<void> {
    const { store, ids, clock, tools } = this.#parts;
    const { recordingId, consultationId, startedBy, startedAt } = recording;
    if (recording.state !== 'ready') throw new AppError('WRONG_STATE');
    if (facts.composition.state === 'ready' || this.liveOf(recordingId) !== null) return;
    if (tools.ffmpegPath === null) throw new AppError('NOT_CONFIGURED');
    if (this.#waiting.length >= MAX_WAITING) throw new AppError('OVERLOADED');
    // One that was made when the server was killed, and never told of.
    for (const file of await store.filesOf(recordingId))
      if (file.kind === 'composed') await this.#remove(recording, file.fileId);
    const fileId = ids.fileId();
    const fileFacts: FileFacts = {
      personId: startedBy,
      source: 'microphone',
      contentType: 'audio/webm;codecs=opus',
      startedAt,
      durationMs: null,
      truncated: null,
      waveform: null,
    };
    await store.createFile({
      fileId,
      recordingId,
      consultationId,
      kind: 'composed',
      createdAt: clock(),
      state: 'growing',
      byteSize: 0,
      parts: 0,
      sealed: sealFileFacts(key, fileId, fileFacts),
    });
    this.#waiting.push({ recordingId, fileId });
    try {
      await this.#say(recordingId, key, { state: 'waiting' });
    } finally {
      // It waits from here on, whether that could be written down or not: nobody else would begin it.
      this.#next();
    }
  }

  /** How the composition of a recording stands while it waits or works; null: it does neither. */
  liveOf(recordingId: RecordingId): Composition | null {
    const running = this.#running;
    if (running?.recordingId === recordingId) return { state: 'working', progress: running.progress };
    return this.#waiting.some((job) => job.recordingId === recordingId) ? { state: 'waiting' } : null;
  }

  /** Nothing of this recording waits or works any more when it resolves. Its files are the caller's to remove. */
  async cancel(recordingId: RecordingId): Promise<void> {
    this.#waiting = this.#waiting.filter((job) => job.recordingId !== recordingId);
    const running = this.#running;
    if (running?.recordingId !== recordingId) return;
    running.stopping.abort();
    await running.ended;
  }

  /** Stops what works; it begins anew after the next start. May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#waiting = [];
    this.#running?.stopping.abort();
    await this.#running?.ended;
  }

  #next(): void {
    if (this.#running !== null || this.#closing.signal.aborted) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    const stopping = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    const running: Running = { ...job, stopping, ended: promise, progress: 0 };
    this.#running = running;
    void this.#work(running)
      .catch((error: unknown) => {
        this.#parts.log.error('composition.failed', { recording: job.recordingId, file: job.fileId, error });
      })
      .finally(() => {
        this.#running = null;
        resolve();
        this.#next();
      });
  }

  async #work(running: Running): Promise<void> {
    const { recordingId, fileId, stopping } = running;
    const { store, host, log } = this.#parts;
    const recording = await store.loadRecording(recordingId);
    if (recording?.state !== 'ready') return;
    const { key } = await host.sealing(recording.consultationId, null);
    await this.#say(recordingId, key, { state: 'working', progress: 0 });
    let composition: Composition;
    try {
      composition = await this.#compose(running, recording, key);
    } catch (error) {
      log.warn('composition.failed', { recording: recordingId, file: fileId, error });
      composition = { state: 'failed', reason: 'storage' };
    }
    // Erased meanwhile, or the server stops: neither is an end of its own. What is made by then is not made again.
    if (stopping.signal.aborted && composition.state !== 'ready') return;
    await this.#say(recordingId, key, composition);
    if (composition.state === 'failed') await this.#remove(recording, fileId);
    log.info('composition.ended', { recording: recordingId, file: fileId, reason: composition.state });
  }

  async #compose(running: Running, recording: StoredRecording, key: ConsultationKey): Promise<Composition> {
    const { files, store } = this.#parts;
    const { fileId, stopping } = running;
    const { recordingId, consultationId } = recording;
    const stored = (await store.filesOf(recordingId)).filter(
      ({ kind, byteSize }) => kind === 'track' && byteSize > 0,
    );
    const tracks = await this.#tracks(stored, key, stopping.signal);
    const plan = planComposition(tracks);
    if (plan === null || tracks.length > MAX_COMPOSED_TRACKS) return { state: 'failed', reason: 'media' };
    if (plan.durationMs > MAX_COMPOSED_MS) return { state: 'failed', reason: 'too_long' };
    const place = { consultationId, recordingId, fileId, key };
    // What a stop of the server has left of an earlier try.
    await files.remove(place);
    const outcome = await composeTracks(plan, {
      files,
      place,
      stored: new Map(stored.map((file) => [file.fileId, file])),
      tools: this.#parts.tools,
      signal: stopping.signal,
      onProgress: this.#teller(running, recording),
    });
    if (outcome.ended !== 'done') return { state: 'failed', reason: outcome.ended };
    return this.#keep({ recording, key, plan, outcome, fileId, signal: stopping.signal });
  }

  async #keep(made: {
    recording: StoredRecording;
    key: ConsultationKey;
    plan: CompositionPlan;
    outcome: Extract<ComposeOutcome, { ended: 'done' }>;
    fileId: FileId;
    signal: AbortSignal;
  }): Promise<Composition> {
    const { store, measuring } = this.#parts;
    const { recording, key, plan, fileId, signal } = made;
    const { byteSize, parts } = made.outcome;
    const { contentType, durationMs, startedAt } = plan;
    const facts: FileFacts = {
      personId: recording.startedBy,
      source: contentType.startsWith('audio/') ? 'microphone' : 'camera',
      contentType,
      startedAt,
      durationMs,
      truncated: null,
      waveform: null,
    };
    const sealed = sealFileFacts(key, fileId, facts);
    if (!(await store.updateFile({ fileId, state: 'whole', byteSize, parts, sealed })))
      return { state: 'failed', reason: 'storage' };
    const whole = await store.loadFile(fileId);
    // Whether it can be sought in is no reason to lose it.
    const measured =
      whole === null ? facts : await measuring.measure(whole, signal).catch(() => openFileFacts(key, whole));
    return { state: 'ready', fileId, contentType, byteSize, durationMs: measured.durationMs ?? durationMs };
  }

  /** The tracks with their lengths: what was not measured yet is measured now. */
  async #tracks(
    stored: readonly StoredFile[],
    key: ConsultationKey,
    signal: AbortSignal,
  ): Promise<ComposedTrack[]> {
    const tracks: ComposedTrack[] = [];
    for (const file of stored) {
      signal.throwIfAborted();
      if (file.state === 'growing') continue;
      let facts = openFileFacts(key, file);
      if (facts.seekIndex === undefined && facts.samples === undefined)
        facts = await this.#parts.measuring.measure(file, signal);
      const demuxer = demuxerOf(facts.contentType);
      const { personId, source, durationMs, samples } = facts;
      // What nobody could find a length in cannot be decoded either.
      if (demuxer === undefined || durationMs === null) continue;
      if (demuxer === 'matroska' && facts.seekIndex === undefined) continue;
      const startedAt = facts.startedAt ?? file.createdAt;
      const track = { fileId: file.fileId, personId, source, startedAt, durationMs, demuxer };
      tracks.push(samples === undefined ? track : { ...track, samples });
    }
    return tracks;
  }

  #teller(running: Running, recording: StoredRecording): (progress: number) => void {
    let toldAt = 0;
    return (progress) => {
      running.progress = Math.max(running.progress, Math.min(1, progress));
      const now = performance.now();
      if (now - toldAt < TELL_MS) return;
      toldAt = now;
      this.#parts.onChanged(recording);
    };
  }

  /** Writes down how a composition stands, unless the recording is not there any more. */
  async #say(recordingId: RecordingId, key: ConsultationKey, composition: Composition): Promise<void> {
    const { store } = this.#parts;
    for (let tries = 1; ; tries += 1) {
      try {
        const recording = await store.loadRecording(recordingId);
        if (recording?.state !== 'ready') return;
        const facts = { ...openRecordingFacts(key, recording), composition };
        const sealed = sealRecordingFacts(key, recordingId, facts);
        const { state, endedAt } = recording;
        if (await store.updateRecording({ recordingId, state, endedAt, sealed }, ['ready']))
          this.#parts.onChanged(recording);
        return;
      } catch (error) {
        if (tries === TRIES || !(error instanceof AppError) || !error.retryable) throw error;
        await wait(TRY_AGAIN_MS);
      }
    }
  }

  async #remove({ consultationId, recordingId }: StoredRecording, fileId: FileId): Promise<void> {
    await this.#parts.files.remove({ consultationId, recordingId, fileId });
    await this.#parts.store.removeFile(fileId);
  }
}
