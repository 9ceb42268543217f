import { AppError, type ConsultationId, type RecordingId } from '@teleconsult/protocol';
import type { AuditTrail } from '../../audit/ports.ts';
import type { Clock, Log } from '../../host/ports.ts';
import type { RecordingStore, StoredRecording } from '../../recordings/ports.ts';
import { recordingIdOf } from '../../recordings/purposes.ts';
import { endRecording } from '../../recordings/recorded-call.ts';
import type { RecordingNews } from '../../recordings/recording-news.ts';
import { type RecordingFacts, sealRecordingFacts } from '../../recordings/sealed-facts.ts';
import type { ConsultationKey } from '../../vault/consultation-key.ts';
import type { CallOf, PhoneCallIds, TapedCall } from './taped-call.ts';

export interface PhoneRecordingsParts {
  readonly store: RecordingStore;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly log: Log;
  readonly news: RecordingNews;
  readonly host: {
    sealing(id: ConsultationId, by: null): Promise<{ readonly key: ConsultationKey }>;
  };
  readonly callOf: CallOf;
  /** Gives up writing down what has ended; the next start does it. */
  readonly signal: AbortSignal;
}

/** As the audit trail calls it. */
export type TapeAction = 'phone.record' | 'phone.importRecording';

/** A recording that is written down and runs: files may be begun. */
export interface BegunRecording {
  readonly recordingId: RecordingId;
  readonly consultationId: ConsultationId;
  readonly key: ConsultationKey;
  readonly call: TapedCall;
}

/** Nothing of it is here yet: where it lies, and when the call was over. */
export interface Fetching {
  readonly fetched: NonNullable<RecordingFacts['fetched']>;
  readonly endedAt: number;
}

/** Writes down that phone calls are recorded: before there is a byte, and after the last. One phone call has one recording. */
export class PhoneRecordings {
  readonly #parts: PhoneRecordingsParts;

  constructor(parts: PhoneRecordingsParts) {
    this.#parts = parts;
  }

  /** null: nothing of this call was recorded yet. */
  find({ phoneCallId }: Pick<PhoneCallIds, 'phoneCallId'>): Promise<StoredRecording | null> {
    return this.#parts.store.loadRecording(recordingIdOf(phoneCallId));
  }

  /**
   * Begins the recording of a call, or goes on with it. It is on the audit trail before it is anywhere else.
   * @throws AppError NOT_FOUND, WRONG_STATE when it was erased, STORAGE_UNAVAILABLE, STORAGE_FULL
   */
  async begin(
    ids: PhoneCallIds & { readonly startedAt: number },
    action: TapeAction,
    later: Fetching | null = null,
  ): Promise<BegunRecording> {
    const { store, host, callOf, news, log } = this.#parts;
    const call = await callOf(ids);
    if (call === null) throw new AppError('NOT_FOUND');
    const { consultationId, caller } = call;
    const recordingId = recordingIdOf(ids.phoneCallId);
    const { key } = await host.sealing(consultationId, null);
    await this.#record(action, { consultationId, recordingId }, 'granted');
    try {
      const { created, recording } = await store.createRecording({
        recordingId,
        consultationId,
        purpose: 'phone_call',
        startedBy: caller,
        startedAt: ids.startedAt,
        endedAt: later?.endedAt ?? null,
        state: 'running',
        clientId: null,
        sealed: sealRecordingFacts(key, recordingId, factsOf(later)),
      });
      if (!created) await this.#goOn(recording, { consultationId, key, later });
      else log.info('recording.began', { consultation: consultationId, recording: recordingId });
    } catch (error) {
      await this.#record(action, { consultationId, recordingId }, 'failed').catch(() => undefined);
      throw error;
    }
    news.changed(consultationId, recordingId);
    return { recordingId, consultationId, key, call };
  }

  /** It has ended. Tries until it is written, or given up; never throws. */
  async end(
    { recordingId, consultationId }: Pick<BegunRecording, 'recordingId' | 'consultationId'>,
    at = this.#parts.clock(),
  ): Promise<void> {
    const { log } = this.#parts;
    try {
      await endRecording(this.#parts, { recordingId, consultationId }, at);
    } catch (error) {
      log.error('recording.notEnded', { recording: recordingId, error });
    }
  }

  /** A recording of this call is there: another file of it begins. */
  async #goOn(
    { recordingId, consultationId, state, endedAt, sealed }: StoredRecording,
    wanted: Pick<BegunRecording, 'consultationId' | 'key'> & { readonly later: Fetching | null },
  ): Promise<void> {
    const { key, later } = wanted;
    if (consultationId !== wanted.consultationId) throw new AppError('NOT_FOUND');
    if (state === 'running' && later === null) return;
    const again = {
      recordingId,
      state: 'running',
      endedAt: later === null ? null : (endedAt ?? later.endedAt),
      sealed: later === null ? sealed : sealRecordingFacts(key, recordingId, factsOf(later)),
    } as const;
    if (!(await this.#parts.store.updateRecording(again, ['ready', 'running'])))
      throw new AppError('WRONG_STATE', { detail: 'the recording was erased' });
  }

  #record(
    action: TapeAction,
    { consultationId, recordingId }: Pick<BegunRecording, 'consultationId' | 'recordingId'>,
    result: 'granted' | 'failed',
  ): Promise<void> {
    const { audit, clock } = this.#parts;
    const who = 'server';
    return audit.append({
      at: clock(),
      who,
      deviceId: null,
      action,
      consultationId,
      object: recordingId,
      result,
    });
  }
}

const factsOf = (later: Fetching | null): RecordingFacts => ({
  callId: null,
  followUpId: null,
  composition: { state: 'none' },
  ...(later === null ? {} : { fetched: later.fetched }),
});
