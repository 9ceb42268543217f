import { z } from 'zod';
import {
  CallId,
  ConsultationId,
  FileId,
  FollowUpId,
  Moment,
  PersonId,
  PhoneCallId,
  RecordingId,
} from './ids.ts';
import { MAX_DICTATION_BYTES, MAX_DICTATION_FILES, MAX_DICTATION_MS } from './limits.ts';
import { MediaSource } from './media.ts';

/** What sealed media is for. */
export const RecordingPurpose = z.enum([
  'consultation',
  'summary',
  'follow_up',
  'health_channel',
  'phone_call',
]);
export type RecordingPurpose = z.infer<typeof RecordingPurpose>;

/** What a doctor dictates: the summary of a visit or the result of a follow-up, and in a health channel clips for publication. */
export const DictationPurpose = z.enum(['summary', 'follow_up', 'health_channel']);
export type DictationPurpose = z.infer<typeof DictationPurpose>;

/** Why the recording of a call stopped. */
export const RecordingStopReason = z.enum([
  'stopped',
  'call_ended',
  /** Somebody who was asked said no. */
  'consent_refused',
  /** Somebody who had agreed took it back. */
  'consent_withdrawn',
  /** Nobody or not everybody answered in time. */
  'not_answered',
]);
export type RecordingStopReason = z.infer<typeof RecordingStopReason>;

/**
 * The recording of a running call, part of the call's state. Nothing is recorded in `asking`; in `running` only those who
 * agreed are, and only while two people or more are in the call.
 */
export const CallRecording = z.strictObject({
  recordingId: RecordingId,
  startedBy: PersonId,
  phase: z.enum(['asking', 'running', 'paused']),
  /** When the present phase began. */
  since: Moment,
  /** Until when those who were asked first may answer; null once it has begun. */
  answerUntil: Moment.nullable(),
  /** One for each person who has been in the call since it was asked for. */
  consents: z.array(
    z.strictObject({ personId: PersonId, state: z.enum(['asked', 'granted']), since: Moment }),
  ),
  /** Whose sound and picture are recorded at this moment. */
  recorded: z.array(PersonId),
});
export type CallRecording = z.infer<typeof CallRecording>;

/** Why the end of a file is not where its speaker ended. */
export const TruncationReason = z.enum([
  'server_stopped',
  'recorder_failed',
  'storage_failed',
  'device_lost',
]);
export type TruncationReason = z.infer<typeof TruncationReason>;

/**
 * One file of a recording: one track of one person, or a phone call, without a break. Files of a recording share one clock.
 */
export const RecordingFile = z.strictObject({
  fileId: FileId,
  /** Of a phone call: who called. */
  personId: PersonId,
  /** Of a phone call: who is heard in each channel, left first; a single one has them all. null: `personId` alone. */
  channels: z.array(z.array(PersonId).min(1)).min(1).max(2).nullable(),
  source: MediaSource,
  /** Such as `audio/webm;codecs=opus`; of a phone call `audio/wav`, or `audio/mpeg` from some providers. */
  contentType: z.string(),
  /** When its first sound or picture was taken, by the server's clock. */
  startedAt: Moment,
  /** null while it grows. */
  durationMs: z.int().min(0).nullable(),
  byteSize: z.int().min(0),
  state: z.enum(['growing', 'whole', 'truncated']),
  truncated: z.strictObject({ at: Moment, reason: TruncationReason }).nullable(),
});
export type RecordingFile = z.infer<typeof RecordingFile>;

/** The single file that is made of a recording on demand. `progress`: 0 to 1. */
export const Composition = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('none') }),
  z.strictObject({ state: z.literal('waiting') }),
  z.strictObject({ state: z.literal('working'), progress: z.number().min(0).max(1) }),
  z.strictObject({
    state: z.literal('ready'),
    fileId: FileId,
    contentType: z.string(),
    byteSize: z.int().min(0),
    durationMs: z.int().min(0),
  }),
  z.strictObject({ state: z.literal('failed'), reason: z.enum(['media', 'storage', 'too_long']) }),
]);
export type Composition = z.infer<typeof Composition>;

/** What may be done with a recording, each a right of its own. `list` is having this view, `control` is starting and stopping. */
export const RecordingRight = z.enum(['play', 'download', 'delete']);
export type RecordingRight = z.infer<typeof RecordingRight>;

export const RecordingView = z.strictObject({
  recordingId: RecordingId,
  consultationId: ConsultationId,
  purpose: RecordingPurpose,
  /** The call that was recorded; null for a dictation and a phone call. */
  callId: CallId.nullable(),
  /** The phone call that was recorded, for `phone_call` alone. */
  phoneCallId: PhoneCallId.nullable(),
  followUpId: FollowUpId.nullable(),
  startedBy: PersonId,
  startedAt: Moment,
  endedAt: Moment.nullable(),
  state: z.enum(['running', 'ready', 'erased']),
  files: z.array(RecordingFile),
  composition: Composition,
  /** What the person who asks may do with it. */
  rights: z.array(RecordingRight),
});
export type RecordingView = z.infer<typeof RecordingView>;

/** Loudness over time, for a waveform and for who spoke when. */
export const Waveform = z.strictObject({
  /** Time between two peaks in milliseconds. */
  stepMs: z.int().min(1),
  /** 0 (silence) to 100 (full scale). */
  peaks: z.array(z.int().min(0).max(100)),
});
export type Waveform = z.infer<typeof Waveform>;

const recording = { consultationId: ConsultationId, recordingId: RecordingId };
const file = { ...recording, fileId: FileId };
const RecordingResult = z.strictObject({ recording: RecordingView });

/** Requests about recordings that are made. Those that control the recording of a call are in recording-controls.ts. */
export const recordingRequests = {
  'recording.list': {
    summary: 'The recordings of a consultation that this person may know of, newest first.',
    payload: z.strictObject({ consultationId: ConsultationId }),
    result: z.strictObject({ recordings: z.array(RecordingView) }),
  },
  'recording.link': {
    summary:
      'A link to the sealed media of one file, for a player or a download. Good for five minutes, for this person and as long as this device is connected; ranges (RFC 9110 §14) are answered. Each use is audited.',
    payload: z.strictObject({ ...file, right: z.enum(['play', 'download']) }),
    result: z.strictObject({ url: z.string(), contentType: z.string(), expiresAt: Moment }),
  },
  'recording.waveform': {
    summary:
      'The loudness of one file over time: of all that is heard, or of one channel (0 is the left). `INVALID` where there is no such channel.',
    payload: z.strictObject({ ...file, channel: z.int().min(0).max(1).optional() }),
    result: Waveform,
  },
  'recording.compose': {
    summary:
      'Make one file of all files of a recording. Answers at once; `recording.changed` tells how it goes. Asking again changes nothing. A phone call is one file already, and `ready`.',
    payload: z.strictObject(recording),
    result: RecordingResult,
  },
  'recording.delete': {
    summary:
      'Erase the media of a recording for good. That it was made and erased stays on record. A dictation of a signed note, or of a published clip, cannot be erased.',
    payload: z.strictObject(recording),
    result: RecordingResult,
  },
  'dictation.begin': {
    summary:
      'Begin a dictation, or find out what the server has of it: the same clientDictationId is the same dictation. Its purpose is `health_channel` in a health channel, and nowhere else. Its bytes are appended by `PUT /v1/consultations/{consultationId}/dictations/{recordingId}/files/{number}?offset=…` as they are recorded. A dictation that is continued after a crash of its device goes on in a further file.',
    payload: z.strictObject({
      consultationId: ConsultationId,
      clientDictationId: z.string().regex(/^[A-Za-z0-9_-]{8,64}$/),
      purpose: DictationPurpose,
      /** The follow-up it belongs to; for `follow_up` alone. */
      followUpId: FollowUpId.optional(),
      contentType: z.enum(['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/mp4']),
      /** When the recording began, by the device's clock. */
      startedAt: Moment,
    }),
    result: z.strictObject({
      recording: RecordingView,
      /** Bytes that the server has on disk, file by file. */
      byteSizes: z.array(z.int().min(0)).max(MAX_DICTATION_FILES),
    }),
  },
  'dictation.finish': {
    summary:
      'The dictation is over and has these files; asking again changes nothing. `WRONG_STATE` when bytes are missing.',
    payload: z.strictObject({
      ...recording,
      files: z
        .array(
          z.strictObject({
            byteSize: z.int().min(1).max(MAX_DICTATION_BYTES),
            durationMs: z.int().min(0).max(MAX_DICTATION_MS),
          }),
        )
        .min(1)
        .max(MAX_DICTATION_FILES),
    }),
    result: RecordingResult,
  },
};
