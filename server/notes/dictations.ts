import {
  AppError,
  type ConsultationId,
  type FollowUpId,
  MAX_DICTATION_PART_BYTES,
  type NoteAudio,
  type PersonId,
  type RecordingId,
  type RecordingView,
  type RequestPayload,
  type RequestResult,
} from '@teleconsult/protocol';
import type { ConsultationHost } from '../host/host.ts';
import type { Log, Publisher } from '../host/ports.ts';
import type { StoredRecording } from '../recordings/ports.ts';
import {
  openFileFacts,
  openRecordingFacts,
  type RecordingFacts,
  sealRecordingFacts,
} from '../recordings/sealed-facts.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import { collectBytes } from './dictation-bytes.ts';
import { DictationFiles, type DictationFilesParts } from './dictation-files.ts';
import { requirePurpose, requireWriter } from './note-readers.ts';
import { SerialBy } from './serial-by.ts';

/** Dictations that a person may have begun in a consultation and not finished. */
const UNFINISHED = 10;
/** Dictations of one person in one consultation whose beginnings may wait for each other. */
const WAITING = 16;
/** Appends of one person whose bytes may be on their way at the same time: what came of each is in memory. */
const RECEIVING = 16;
/** A dictation whose device was not heard of for so long is finished with what there is. */
const GIVEN_UP_MS = 7 * 24 * 3_600_000;
/** When devices were last heard of is forgotten with the process; so long after its start they have all come back. */
const RETURN_MS = 2 * 3_600_000;

export interface DictationsParts extends DictationFilesParts {
  readonly host: Pick<ConsultationHost, 'view' | 'sealing'>;
  readonly log: Log;
  readonly publisher: Pick<Publisher, 'toWatchers'>;
  readonly hasFollowUp: (consultationId: ConsultationId, followUpId: FollowUpId) => Promise<boolean>;
  /** The recording as its author sees it. */
  readonly view: (recordingId: RecordingId, by: PersonId) => Promise<RecordingView>;
  /** One change of a dictation at a time, its erasing among them. @throws AppError RATE_LIMITED */
  readonly inTurn: <T>(recordingId: RecordingId, task: () => Promise<T>) => Promise<T>;
}

export interface AppendWish {
  readonly consultationId: ConsultationId;
  readonly recordingId: RecordingId;
  /** 0 for the first file. */
  readonly number: number;
  readonly offset: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * Dictations, as their devices append them. An offset that was answered is on disk, sealed; what a device says again is
 * not written again. Each run of the device's recorder is a file of its own.
 */
export class Dictations {
  readonly #parts: DictationsParts;
  readonly #files: DictationFiles;
  /** One beginning after the other for a person in a consultation, so that their number stays bounded. */
  readonly #beginnings = new SerialBy<string>(WAITING);
  /** When the device of a dictation that is not finished was last heard of by this process. */
  readonly #heardAt = new Map<RecordingId, number>();
  readonly #since: number;
  readonly #receiving = new Map<PersonId, number>();

  constructor(parts: DictationsParts) {
    this.#parts = parts;
    this.#since = parts.clock();
    this.#files = new DictationFiles(parts);
  }

  async begin(
    by: PersonId,
    wish: RequestPayload<'dictation.begin'>,
  ): Promise<RequestResult<'dictation.begin'>> {
    const { host, hasFollowUp, view } = this.#parts;
    const { consultationId, followUpId = null } = wish;
    const place = await host.view(consultationId, by);
    requireWriter(place, by);
    requirePurpose(place, wish);
    const { key } = await host.sealing(consultationId, by);
    if (followUpId !== null && !(await hasFollowUp(consultationId, followUpId)))
      throw new AppError('NOT_FOUND', { detail: 'there is no such follow-up' });
    const recordingId = await this.#beginnings.run(`${consultationId} ${by}`, () =>
      this.#begun(by, wish, key),
    );
    // In turn: what is being written is not on disk yet, and what is being finished is not opened again.
    const byteSizes = await this.#parts.inTurn(recordingId, async () => {
      const { recording } = await this.#own(by, consultationId, recordingId);
      this.#hear(recording);
      return this.#files.byteSizes(recording, key);
    });
    return { recording: await view(recordingId, by), byteSizes };
  }

  /**
   * Answers how far the file reaches once that is on disk.
   * @throws OffsetMismatch when bytes before these are missing, or others were said at the same place
   */
  async append(
    by: PersonId,
    { consultationId, recordingId, number, offset, bytes }: AppendWish,
  ): Promise<number> {
    // Nothing is kept in memory for who may not append.
    await this.#own(by, consultationId, recordingId);
    const sent = await this.#receive(by, bytes);
    return this.#parts.inTurn(recordingId, async () => {
      const { recording, key } = await this.#own(by, consultationId, recordingId);
      if (recording.state !== 'running')
        throw new AppError('WRONG_STATE', { detail: 'the dictation is finished' });
      this.#hear(recording);
      return this.#files.append(recording, key, { number, offset, bytes: sent });
    });
  }

  async finish(
    by: PersonId,
    wish: RequestPayload<'dictation.finish'>,
  ): Promise<RequestResult<'dictation.finish'>> {
    const { consultationId, recordingId } = wish;
    const { view, log } = this.#parts;
    return this.#parts.inTurn(recordingId, async () => {
      const { recording, key } = await this.#own(by, consultationId, recordingId);
      const files = await this.#files.tracks(recordingId);
      if (recording.state === 'erased')
        throw new AppError('WRONG_STATE', { detail: 'the dictation was erased' });
      if (recording.state === 'running') {
        const standing = await this.#files.byteSizes(recording, key);
        const isWhole =
          standing.length === wish.files.length &&
          wish.files.every(({ byteSize }, index) => byteSize === standing[index]);
        if (!isWhole) throw new AppError('WRONG_STATE', { detail: 'bytes are missing' });
        for (const [index, file] of files.entries())
          await this.#files.end(file, key, {
            durationMs: wish.files[index]?.durationMs ?? null,
            lostAt: null,
          });
        await this.#end(recording, key);
        log.info('dictation.finished', { consultation: consultationId, person: by, recording: recordingId });
      }
      return { recording: await view(recordingId, by) };
    });
  }

  /** Part of a note: of this author and consultation, finished, and as long. @throws AppError NOT_FOUND, WRONG_STATE, INVALID */
  async checkAudio(
    { recordingId, startMs, endMs }: NoteAudio,
    { consultationId, author }: { consultationId: ConsultationId; author: PersonId },
  ): Promise<void> {
    const { recording, key } = await this.#own(author, consultationId, recordingId);
    if (recording.state !== 'ready')
      throw new AppError('WRONG_STATE', { detail: 'the dictation is not finished' });
    const files = await this.#files.tracks(recordingId);
    const lengths = files.map((file) => openFileFacts(key, file).durationMs);
    // What the device said of the length is rounded; a length that nobody knows bounds nothing.
    const durationMs = lengths.includes(null)
      ? null
      : lengths.reduce<number>((sum, one) => sum + (one ?? 0), 0);
    if (durationMs !== null && Math.max(startMs, endMs ?? 0) > durationMs + ROUNDING_MS)
      throw new AppError('INVALID', { detail: 'audio: beyond the end of the dictation' });
  }

  /** Dictations that nobody has gone on with for a week are finished with what there is. */
  async sweep(): Promise<void> {
    const { recordings, host, clock, log } = this.#parts;
    const before = clock() - GIVEN_UP_MS;
    // Those of before this process were heard of at a time that nobody knows.
    const mayBeUnheard = clock() - this.#since >= RETURN_MS;
    const running = await recordings.runningRecordings();
    const known = new Set(running.map(({ recordingId }) => recordingId));
    for (const recordingId of this.#heardAt.keys())
      if (!known.has(recordingId)) this.#heardAt.delete(recordingId);
    for (const { recordingId, consultationId, clientId, startedAt } of running) {
      if (clientId === null || startedAt > before) continue;
      try {
        await this.#parts.inTurn(recordingId, async () => {
          const heardAt = this.#heardAt.get(recordingId);
          if (heardAt === undefined ? !mayBeUnheard : heardAt > before) return;
          const recording = await recordings.loadRecording(recordingId);
          if (recording?.state !== 'running') return;
          const { key } = await host.sealing(consultationId, null);
          const files = await this.#files.tracks(recordingId);
          if (files.some(({ createdAt }) => createdAt > before)) return;
          for (const file of files) await this.#files.end(file, key, { durationMs: null, lostAt: clock() });
          await this.#end(recording, key);
          log.info('dictation.givenUp', { consultation: consultationId, recording: recordingId });
        });
      } catch (error) {
        log.error('dictation.notGivenUp', { consultation: consultationId, recording: recordingId, error });
      }
    }
  }

  /** Everything that was answered is on disk anyway; this spares the next start its looking. */
  async close(): Promise<void> {
    await this.#files.close();
  }

  async #receive(by: PersonId, bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const others = this.#receiving.get(by) ?? 0;
    if (others >= RECEIVING) throw new AppError('RATE_LIMITED');
    this.#receiving.set(by, others + 1);
    try {
      return await collectBytes(bytes, MAX_DICTATION_PART_BYTES);
    } finally {
      const left = (this.#receiving.get(by) ?? 1) - 1;
      if (left === 0) this.#receiving.delete(by);
      else this.#receiving.set(by, left);
    }
  }

  /** The dictation of this wish, made now or before. @throws AppError CONFLICT, RATE_LIMITED */
  async #begun(
    by: PersonId,
    wish: RequestPayload<'dictation.begin'>,
    key: ConsultationKey,
  ): Promise<RecordingId> {
    const { recordings, ids, clock, log } = this.#parts;
    const { consultationId, clientDictationId, purpose, followUpId = null, contentType } = wish;
    const others = await recordings.recordingsOf(consultationId);
    const own = others.filter((one) => one.startedBy === by && one.clientId !== null);
    const isKnown = own.some(({ clientId }) => clientId === clientDictationId);
    if (!isKnown && own.filter(({ state }) => state === 'running').length >= UNFINISHED)
      throw new AppError('RATE_LIMITED', { detail: `at most ${UNFINISHED} dictations are unfinished` });
    const recordingId = ids.recordingId();
    const facts: RecordingFacts = {
      callId: null,
      followUpId,
      composition: { state: 'none' },
      dictated: { contentType },
    };
    const { created, recording } = await recordings.createRecording({
      recordingId,
      consultationId,
      purpose,
      startedBy: by,
      // The device's clock may be ahead; nothing was recorded in the future.
      startedAt: Math.min(wish.startedAt, clock()),
      endedAt: null,
      state: 'running',
      clientId: clientDictationId,
      sealed: sealRecordingFacts(key, recordingId, facts),
    });
    if (created)
      log.info('dictation.begun', { consultation: consultationId, person: by, recording: recordingId });
    // Of one that was erased nothing is left to compare with; its device is told that it is.
    else if (recording.state !== 'erased')
      requireSame(recording, openRecordingFacts(key, recording), { purpose, followUpId, contentType });
    return recording.recordingId;
  }

  #hear({ recordingId, state }: StoredRecording): void {
    if (state === 'running') this.#heardAt.set(recordingId, this.#parts.clock());
  }

  async #own(by: PersonId, consultationId: ConsultationId, recordingId: RecordingId) {
    const { recordings, host } = this.#parts;
    const { key } = await host.sealing(consultationId, by);
    const recording = await recordings.loadRecording(recordingId);
    const isOwn =
      recording !== null &&
      recording.consultationId === consultationId &&
      recording.startedBy === by &&
      recording.clientId !== null;
    if (!isOwn) throw new AppError('NOT_FOUND');
    return { recording, key };
  }

  async #end({ recordingId, consultationId, sealed }: StoredRecording, key: ConsultationKey): Promise<void> {
    const { recordings, clock, publisher } = this.#parts;
    const facts = openRecordingFacts(key, { recordingId, sealed });
    await recordings.updateRecording(
      { recordingId, state: 'ready', endedAt: clock(), sealed: sealRecordingFacts(key, recordingId, facts) },
      ['running'],
    );
    this.#heardAt.delete(recordingId);
    publisher.toWatchers(consultationId, 'recording.changed', { consultationId, recordingId });
  }
}

/** A device measures a length by its own clock. */
const ROUNDING_MS = 2_000;

function requireSame(
  recording: StoredRecording,
  facts: RecordingFacts,
  wish: { purpose: string; followUpId: string | null; contentType: string },
): void {
  const isSame =
    recording.purpose === wish.purpose &&
    facts.followUpId === wish.followUpId &&
    facts.dictated?.contentType === wish.contentType;
  if (!isSame) throw new AppError('CONFLICT');
}
