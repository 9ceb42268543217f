/** What of recordings is sealed with the consultation's key, and the places it is sealed for. */
import type {
  CallId,
  Composition,
  FileId,
  FollowUpId,
  MediaSource,
  PersonId,
  PhoneBindingId,
  RecordingId,
  TruncationReason,
  Waveform,
} from '@teleconsult/protocol';
import type { SeekIndex } from '../playback/seek-index.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import type { SampleFormat } from './sample-format.ts';

export interface RecordingFacts {
  readonly callId: CallId | null;
  readonly followUpId: FollowUpId | null;
  readonly composition: Composition;
  /** Of a dictation: what its device said of it. */
  readonly dictated?: { readonly contentType: string };
  /** Of a phone call that a provider has recorded: what is to be fetched there, sealed, and deleted there. */
  readonly fetched?: {
    readonly provider: string;
    readonly recordingRef: string;
    readonly bindingId: PhoneBindingId;
  };
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
  /** Who is heard in each channel, left first; left out: `personId` alone. */
  readonly channels?: readonly (readonly PersonId[])[];
  /** What is stored are samples and nothing else: they are served behind a head that is made of this. */
  readonly samples?: SampleFormat;
  /** Of sound in two channels, each for itself; `waveform` is of both. */
  readonly channelWaveforms?: readonly Waveform[];
  /** It was recorded by a provider and fetched: one that was cut off may be fetched again. */
  readonly imported?: true;
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
