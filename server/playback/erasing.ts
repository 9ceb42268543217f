import { AppError, type ConsultationId, type RecordingId } from '@teleconsult/protocol';
import type { Clock, Log } from '../host/ports.ts';
import type { RecordingStore, StoredRecording, TrackFiles } from '../recordings/ports.ts';
import { type RecordingFacts, sealRecordingFacts } from '../recordings/sealed-facts.ts';
import type { Composing } from './composing.ts';
import type { Consultations, RecordingAccess } from './recording-access.ts';
import type { RecordingTurns } from './recording-turns.ts';

export interface ErasingParts {
  readonly store: RecordingStore;
  readonly files: TrackFiles;
  readonly host: Consultations;
  readonly clock: Clock;
  readonly log: Log;
  readonly access: Pick<RecordingAccess, 'standing'>;
  readonly composing: Pick<Composing, 'cancel'>;
  readonly turns: RecordingTurns;
  readonly onChanged: (recording: StoredRecording) => void;
}

/** What stays of an erased recording beside that it was made, by whom, when, and that it is erased. */
const NOTHING: RecordingFacts = { callId: null, followUpId: null, composition: { state: 'none' } };

/** Recordings whose erasing was cut off that are looked up at a time. */
const LOOKED_UP = 100;

/**
 * Erases recordings for good. That a recording is erased is on disk before the first byte goes, so that what is cut off in
 * the middle is finished later and never looks whole.
 */
export class Erasing {
  readonly #parts: ErasingParts;

  constructor(parts: ErasingParts) {
    this.#parts = parts;
  }

  /**
   * Again changes nothing.
   * @param permit called once it is clear that it may be erased, before anything is: what it throws keeps the recording
   * @throws AppError WRONG_STATE while a call is recorded, or when a signed note holds it (a published clip alone may be
   * erased all the same, where it is taken back)
   */
  async erase(
    { consultationId, recordingId }: { consultationId: ConsultationId; recordingId: RecordingId },
    permit: () => Promise<void>,
    { takesBack = false }: { readonly takesBack?: boolean } = {},
  ): Promise<void> {
    const { turns } = this.#parts;
    // While nobody signs a note that would hold it.
    await turns.take(consultationId, () =>
      turns.take(recordingId, () => this.#erase({ consultationId, recordingId, takesBack }, permit)),
    );
  }

  /** Finishes what a stop of the server, or a store that failed, has cut off. */
  async finish(): Promise<void> {
    const { store, turns, log } = this.#parts;
    for (const recording of await store.halfErased(LOOKED_UP)) {
      try {
        await turns.take(recording.recordingId, () => this.#removeAll(recording));
      } catch (error) {
        // One that cannot be removed must not keep the others.
        log.warn('recording.notErased', { recording: recording.recordingId, error });
      }
    }
  }

  async #erase(
    {
      consultationId,
      recordingId,
      takesBack,
    }: { consultationId: ConsultationId; recordingId: RecordingId; takesBack: boolean },
    permit: () => Promise<void>,
  ): Promise<void> {
    const { store, host, access, onChanged, log, clock } = this.#parts;
    const recording = await store.loadRecording(recordingId);
    if (recording?.consultationId !== consultationId) throw new AppError('NOT_FOUND');
    const isDictation = recording.clientId !== null;
    if (recording.state === 'running' && !isDictation)
      throw new AppError('WRONG_STATE', { detail: 'it is still being recorded' });
    const standing = await access.standing(recording);
    if (standing === 'held dictation' || (standing === 'published clip' && !takesBack))
      throw new AppError('WRONG_STATE', { detail: 'a signed note holds it' });
    if (recording.state !== 'erased') {
      await permit();
      const { key } = await host.sealing(consultationId, null);
      const sealed = sealRecordingFacts(key, recordingId, NOTHING);
      // A dictation that is thrown away in the middle takes nothing more from here on.
      const endedAt = recording.endedAt ?? clock();
      await store.updateRecording({ recordingId, state: 'erased', endedAt, sealed }, ['ready', 'running']);
      // Nobody sees or plays it from here on, whenever the store lets go of the bytes.
      onChanged({ ...recording, state: 'erased' });
    }
    await this.#removeAll(recording);
    log.info('recording.erased', { consultation: consultationId, recording: recordingId });
  }

  async #removeAll({ consultationId, recordingId }: StoredRecording): Promise<void> {
    const { store, files, composing } = this.#parts;
    await composing.cancel(recordingId);
    for (const { fileId, parts } of await store.filesOf(recordingId)) {
      // The bytes go first: as long as the row is there, somebody knows that there may be some.
      await files.remove({ consultationId, recordingId, fileId }, parts);
      await store.removeFile(fileId);
    }
  }
}
