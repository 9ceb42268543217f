/** What of recordings is sealed with the consultation's key, and the places it is sealed for. */
import type {
  CallId,
  Composition,
  FileId,
  FollowUpId,
  MediaSource,
  PersonId,
  RecordingId,
  TruncationReason,
  Waveform,
} from '@teleconsult/protocol';
import type { SeekIndex } from '../playback/seek-index.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';

export interface RecordingFacts {
  readonly callId: CallId | null;
  readonly followUpId: FollowUpId | null;
  readonly composition: Composition;
  /** Of a dictation: what its device said of it. */
  readonly dictated?: { readonly contentType: string };
}

export interface FileFacts {
  readonly personId: PersonId;
  readonly source: MediaSource;
  readonly contentType: string;
  /** When its first sound or picture was taken; null until then. */
  readonly startedAt: number | null;
  readonly durationMs: number | null;
  readonly truncated: { readonly at: number; readonly reason: TruncationReason } | null;
  /** Of sound, once it is finished and was measured. */
  readonly waveform: Waveform | null;
  /** How a player can seek in it (server/playback/seek-index.ts); left out while it was not measured or cannot be. */
  readonly seekIndex?: SeekIndex;
}

const recordingPlace = (id: RecordingId): string => `recording|${id}`;
const filePlace = (id: FileId): string => `recording file|${id}`;

export const sealRecordingFacts = (
  key: ConsultationKey,
  id: RecordingId,
  facts: RecordingFacts,
): Uint8Array => key.seal(JSON.stringify(facts), recordingPlace(id));

/** @throws AppError INTEGRITY */
export const openRecordingFacts = (
  key: ConsultationKey,
  { recordingId, sealed }: { readonly recordingId: RecordingId; readonly sealed: Uint8Array },
): RecordingFacts =>
  JSON.parse(key.open(sealed, recordingPlace(recordingId)).toString('utf8')) as RecordingFacts;

export const sealFileFacts = (key: ConsultationKey, id: FileId, facts: FileFacts): Uint8Array =>
  key.seal(JSON.stringify(facts), filePlace(id));

/** @throws AppError INTEGRITY */
export const openFileFacts = (
  key: ConsultationKey,
  { fileId, sealed }: { readonly fileId: FileId; readonly sealed: Uint8Array },
): FileFacts => JSON.parse(key.open(sealed, filePlace(fileId)).toString('utf8')) as FileFacts;
