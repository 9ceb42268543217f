/**
 * What the recordings need of the outside: a store for what is known of them, and files that grow. Each port has one
 * contract suite (test/contract).
 */
import type { ConsultationId, FileId, PersonId, RecordingId, RecordingPurpose } from '@teleconsult/protocol';
import type { ConsultationKey } from '../vault/consultation-key.ts';

/** Facts of a recording. Everything that is said of people beyond who began it and when is sealed. */
export interface StoredRecording {
  readonly recordingId: RecordingId;
  readonly consultationId: ConsultationId;
  readonly purpose: RecordingPurpose;
  readonly startedBy: PersonId;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly state: 'running' | 'ready' | 'erased';
  /** What a device calls its dictation; null for a recording of a call. Unique for one person in one consultation. */
  readonly clientId: string | null;
  readonly sealed: Uint8Array;
}

export interface StoredFile {
  readonly fileId: FileId;
  readonly recordingId: RecordingId;
  readonly consultationId: ConsultationId;
  /**
   * `track`: what was recorded. `composed`: what was made of it; one that grows when the server starts is no track that was
   * cut off but a composition that begins anew (server/playback).
   */
  readonly kind: 'track' | 'composed';
  readonly createdAt: number;
  readonly state: 'growing' | 'whole' | 'truncated';
  /** Bytes of plaintext, and in how many sealed parts they lie; those of a growing file are as of its last change. */
  readonly byteSize: number;
  readonly parts: number;
  readonly sealed: Uint8Array;
}

/**
 * The store of record of recordings. A resolved write survives a power cut; a rejected one (`STORAGE_FULL`,
 * `STORAGE_UNAVAILABLE`) left nothing behind and may be repeated.
 */
export interface RecordingStore {
  /** Answers what is there when this id, or this person’s `clientId`, exists already. */
  createRecording(recording: StoredRecording): Promise<{ created: boolean; recording: StoredRecording }>;
  loadRecording(recordingId: RecordingId): Promise<StoredRecording | null>;
  /** Newest first. */
  recordingsOf(consultationId: ConsultationId): Promise<readonly StoredRecording[]>;
  /** Rewrites state, end and sealed facts when it stands in one of `from`; false: it does not. */
  updateRecording(
    recording: Pick<StoredRecording, 'recordingId' | 'state' | 'endedAt' | 'sealed'>,
    from: readonly StoredRecording['state'][],
  ): Promise<boolean>;
  /** Recordings that run: after a start, those that were cut off. */
  runningRecordings(): Promise<readonly StoredRecording[]>;
  createFile(file: StoredFile): Promise<void>;
  loadFile(fileId: FileId): Promise<StoredFile | null>;
  /** Oldest first. */
  filesOf(recordingId: RecordingId): Promise<readonly StoredFile[]>;
  /** Rewrites a file that grows; false: there is none, or it does not grow any more. */
  updateFile(file: Pick<StoredFile, 'fileId' | 'state' | 'byteSize' | 'parts' | 'sealed'>): Promise<boolean>;
  growingFiles(): Promise<readonly StoredFile[]>;
  /** Finished files that were not measured yet, oldest first, at most `limit`. */
  unmeasuredFiles(limit: number): Promise<readonly StoredFile[]>;
  /** Rewrites the sealed facts of a finished file: it is measured now. false: there is none, or it grows. */
  measuredFile(file: Pick<StoredFile, 'fileId' | 'sealed'>): Promise<boolean>;
  /** Erased recordings that still have files: after a start, those whose erasing was cut off. */
  halfErased(limit: number): Promise<readonly StoredRecording[]>;
  /** Forgets a file. Removing what is not there succeeds. */
  removeFile(fileId: FileId): Promise<void>;
}

/** Where a file belongs; part of what seals it, so that no file opens in the place of another. */
export interface FilePlace {
  readonly consultationId: ConsultationId;
  readonly recordingId: RecordingId;
  readonly fileId: FileId;
  readonly key: ConsultationKey;
}

/**
 * A file that grows. Bytes are sealed before they reach a disk. What was flushed is there after a power cut; what was only
 * appended is there after a kill of the process no later than half a second later.
 */
export interface GrowingFile {
  /** Everything appended. */
  readonly byteSize: number;
  /** Throws AppError STORAGE_FULL or STORAGE_UNAVAILABLE once writing has failed; what was flushed before stays readable. */
  append(bytes: Uint8Array): void;
  /** Resolves when everything appended so far survives a power cut. */
  flush(): Promise<void>;
  /** Seals what is left. Afterwards the file can be read as a whole. May be called twice. */
  close(): Promise<{ readonly byteSize: number; readonly parts: number }>;
}

/** The plaintext of a finished file, from any place. Whoever opened it closes it. */
export interface OpenedFile extends AsyncDisposable {
  readonly byteSize: number;
  /** Fetches and checks only what the range touches. @throws AppError INTEGRITY by way of the stream */
  read(range?: { readonly start: number; readonly endExclusive: number }): AsyncIterable<Uint8Array>;
}

export interface TrackFiles {
  create(place: FilePlace): Promise<GrowingFile>;
  /** Goes on with a file that was not closed, in this process or one before; answers it with everything that is there. */
  resume(place: FilePlace, parts: number): Promise<GrowingFile>;
  /** @throws AppError NOT_FOUND, INTEGRITY */
  open(place: FilePlace, size: { readonly byteSize: number; readonly parts: number }): Promise<OpenedFile>;
  /**
   * Everything of it, also what a crash left. Removing what is not there succeeds.
   * @param parts how many it is known to have, so that what lies behind one that was lost goes as well
   */
  remove(place: Omit<FilePlace, 'key'>, parts?: number): Promise<void>;
}
