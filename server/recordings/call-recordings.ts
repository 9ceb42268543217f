import { setTimeout as wait } from 'node:timers/promises';
import { AppError, type CallId, type ConsultationId, type RecordingId } from '@teleconsult/protocol';
import type { Stepped } from '../host/batch.ts';
import type { Publisher } from '../host/ports.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import type { TrackFiles } from './ports.ts';
import { RecordingDesk, type RecordingDeskParts } from './recording-desk.ts';
import { RecordingNews } from './recording-news.ts';
import { Recovery, type RecoveryParts } from './recovery.ts';

/** A server is there again after this, whatever there is to take up; the rest is done behind it. */
const BEFORE_LISTENING_MS = 5_000;

/** Files that a process which was killed has left can be finished. */
export type RecoverableTrackFiles = TrackFiles & RecoveryParts['files'];

export interface CallRecordingsParts
  extends Omit<RecordingDeskParts, 'news' | 'files' | 'keyOf' | 'roomOf'>,
    Pick<RecoveryParts, 'clock' | 'log'> {
  readonly files: RecoverableTrackFiles;
  readonly publisher: Pick<Publisher, 'toWatchers'>;
  readonly host: {
    sealing(id: ConsultationId, by: null): Promise<{ readonly key: ConsultationKey }>;
    recordingOf(id: ConsultationId): Promise<RecordingId | null>;
    readonly media: { roomOf(callId: CallId): ReturnType<RecordingDeskParts['roomOf']> };
  };
}

/** Recordings of calls: what a former process left is taken up, then what is recorded follows the calls. */
export class CallRecordings {
  readonly #desk: RecordingDesk;
  readonly #recovery: Recovery;
  readonly #stopping = new AbortController();
  #finishing: Promise<void> = Promise.resolve();

  constructor(parts: CallRecordingsParts) {
    const { host, publisher } = parts;
    const news = new RecordingNews(publisher);
    const keyOf = async (id: ConsultationId) => (await host.sealing(id, null)).key;
    this.#desk = new RecordingDesk({
      ...parts,
      news,
      keyOf,
      roomOf: (callId) => host.media.roomOf(callId),
    });
    this.#recovery = new Recovery({
      ...parts,
      news,
      keyOf,
      recordingOf: (id) => host.recordingOf(id),
      signal: this.#stopping.signal,
    });
  }

  /** @throws AppError NOT_CONFIGURED without a recording program, OVERLOADED when as much is recorded as can be */
  check(): void {
    const answer = this.#desk.canRecord();
    if (answer === 'not_configured') throw new AppError('NOT_CONFIGURED', { detail: 'nothing records here' });
    if (answer === 'overloaded')
      throw new AppError('OVERLOADED', { detail: 'as many tracks are recorded as can be' });
  }

  handleChange(change: Stepped): void {
    this.#desk.handleChange(change);
  }

  handleTracks(callId: CallId): void {
    this.#desk.handleTracks(callId);
  }

  /** Finishes what the former process left. Before calls are taken up, whose recordings go on in new files. */
  async recover(): Promise<void> {
    this.#finishing = this.#recovery.finishFiles();
    await within(BEFORE_LISTENING_MS, this.#finishing);
  }

  /** Ends recordings whose calls are over. After calls were taken up. */
  async callsTakenUp(): Promise<void> {
    this.#finishing = this.#finishing.then(() => this.#recovery.endRecordings());
    await within(BEFORE_LISTENING_MS, this.#finishing);
  }

  /** Every segment is stopped and every file sealed. May be called twice. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#desk.close();
    await this.#finishing;
    await this.#recovery.stopped();
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const limit = new AbortController();
  const waited = wait(ms, undefined, { signal: limit.signal }).catch(() => undefined);
  await Promise.race([work, waited]);
  limit.abort();
}
