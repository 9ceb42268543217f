import { setImmediate as turn } from 'node:timers/promises';
import {
  AppError,
  type Composition,
  type ConsultationId,
  type ConsultationView,
  type FileId,
  type PersonId,
  type RecordingFile,
  type RecordingId,
  type RecordingRight,
  type RecordingView,
} from '@teleconsult/protocol';
import type { RecordingStore, StoredFile, StoredRecording } from '../recordings/ports.ts';
import { isOfCall, phoneCallIdOf } from '../recordings/purposes.ts';
import {
  type FileFacts,
  openFileFacts,
  openRecordingFacts,
  type RecordingFacts,
} from '../recordings/sealed-facts.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import { onlookerOf, type RecordingAct, recordingRights, type Standing } from './recording-rights.ts';

/** What is asked of consultations. Throws NOT_FOUND to who takes no part; null reads as the host application. */
export interface Consultations {
  view(id: ConsultationId, by: PersonId | null): Promise<ConsultationView>;
  sealing(id: ConsultationId, by: PersonId | null): Promise<{ readonly key: ConsultationKey }>;
}

export interface AccessParts {
  readonly store: RecordingStore;
  readonly host: Consultations;
  /** Whether a signed note holds this dictation. */
  readonly isHeld: (consultationId: ConsultationId, recordingId: RecordingId) => Promise<boolean>;
}

/** A recording as one person may see it. */
export interface Seen {
  readonly recording: StoredRecording;
  readonly facts: RecordingFacts;
  readonly key: ConsultationKey;
  readonly acts: readonly RecordingAct[];
}

const RIGHTS: readonly RecordingRight[] = ['play', 'download', 'delete'];

/** Who may see and do what with which recording. To whom it is not listed, it is not there. */
export class RecordingAccess {
  readonly #parts: AccessParts;

  constructor(parts: AccessParts) {
    this.#parts = parts;
  }

  /** Newest first. `by` null: the host application. @throws AppError NOT_FOUND */
  async list(consultationId: ConsultationId, by: PersonId | null): Promise<readonly Seen[]> {
    const { host, store } = this.#parts;
    const view = await host.view(consultationId, by);
    const { key } = await host.sealing(consultationId, by);
    const seen: Seen[] = [];
    for (const recording of await store.recordingsOf(consultationId)) {
      const acts = await this.#actsOf(recording, view, by);
      if (acts.includes('list'))
        seen.push({ recording, facts: openRecordingFacts(key, recording), key, acts });
    }
    return seen;
  }

  /** @throws AppError NOT_FOUND when there is none that this person may know of */
  async find(
    { consultationId, recordingId }: { consultationId: ConsultationId; recordingId: RecordingId },
    by: PersonId | null,
  ): Promise<Seen> {
    const { host, store } = this.#parts;
    const view = await host.view(consultationId, by);
    const recording = await store.loadRecording(recordingId);
    if (recording?.consultationId !== consultationId) throw new AppError('NOT_FOUND');
    const acts = await this.#actsOf(recording, view, by);
    if (!acts.includes('list')) throw new AppError('NOT_FOUND');
    const { key } = await host.sealing(consultationId, by);
    return { recording, facts: openRecordingFacts(key, recording), key, acts };
  }

  /** A finished file of a recording. @throws AppError NOT_FOUND, WRONG_STATE while it grows */
  async file({ recording, key }: Seen, fileId: FileId): Promise<{ file: StoredFile; facts: FileFacts }> {
    const file = await this.#parts.store.loadFile(fileId);
    if (file?.recordingId !== recording.recordingId || recording.state === 'erased')
      throw new AppError('NOT_FOUND');
    if (file.state === 'growing')
      throw new AppError('WRONG_STATE', { detail: 'the file is still being recorded' });
    return { file, facts: openFileFacts(key, file) };
  }

  /** @param live how a composition that waits or works stands; null: none does */
  async viewOf({ recording, facts, key, acts }: Seen, live: Composition | null): Promise<RecordingView> {
    const files = recording.state === 'erased' ? [] : await this.#parts.store.filesOf(recording.recordingId);
    const { recordingId, consultationId, purpose, startedBy, startedAt, endedAt, state } = recording;
    const tracks: RecordingFile[] = [];
    for (const file of files) {
      if (file.kind !== 'track') continue;
      tracks.push(viewFile(file, openFileFacts(key, file)));
      // What is known of an hour takes milliseconds to open, and there may be many.
      await turn();
    }
    return {
      recordingId,
      consultationId,
      purpose,
      callId: facts.callId,
      phoneCallId: phoneCallIdOf(recording),
      followUpId: facts.followUpId,
      startedBy,
      startedAt,
      endedAt,
      state,
      files: tracks,
      composition: live ?? wholeOf(recording, tracks) ?? settled(facts.composition),
      rights: recording.state === 'erased' ? [] : RIGHTS.filter((right) => acts.includes(right)),
    };
  }

  async #actsOf(
    recording: StoredRecording,
    view: ConsultationView,
    by: PersonId | null,
  ): Promise<readonly RecordingAct[]> {
    const onlooker = onlookerOf(by, view, recording);
    if (onlooker === null) return [];
    return recordingRights[await this.standing(recording)][onlooker];
  }

  /** How a recording stands, for what may be done with it. */
  async standing(recording: StoredRecording): Promise<Standing> {
    const { purpose, consultationId, recordingId, state } = recording;
    if (isOfCall(recording)) return 'call';
    if (state === 'erased') return 'dictation';
    if (!(await this.#parts.isHeld(consultationId, recordingId))) return 'dictation';
    return purpose === 'health_channel' ? 'published clip' : 'held dictation';
  }
}

/** One that says it waits or works while none does was cut off, and can be asked for again. */
const settled = (composition: Composition): Composition =>
  composition.state === 'waiting' || composition.state === 'working' ? { state: 'none' } : composition;

/** A phone call that lies in one file has both in it: there is nothing to compose. */
export function wholeOf(
  recording: Pick<StoredRecording, 'purpose' | 'state'>,
  files: readonly RecordingFile[],
): Extract<Composition, { state: 'ready' }> | null {
  const [file, ...others] = files;
  if (recording.purpose !== 'phone_call' || recording.state !== 'ready') return null;
  if (file === undefined || others.length > 0 || file.state === 'growing') return null;
  const { fileId, contentType, byteSize, durationMs } = file;
  return { state: 'ready', fileId, contentType, byteSize, durationMs: durationMs ?? 0 };
}

function viewFile(file: StoredFile, facts: FileFacts): RecordingFile {
  const { fileId, state, byteSize, createdAt } = file;
  const { personId, source, contentType, startedAt, durationMs, truncated, channels } = facts;
  return {
    fileId,
    personId,
    channels: channels?.map((people) => [...people]) ?? null,
    source,
    contentType,
    // Until the first sound has come, when it was waited for from.
    startedAt: startedAt ?? createdAt,
    durationMs: state === 'growing' ? null : durationMs,
    byteSize,
    state,
    truncated,
  };
}
