/**
 * What is recorded of a consultation: recordings, dictations, notes and follow-ups. A module of its own
 * (`@teleconsult/client-sdk/records`), so that pages that do not need it do not load it.
 */
import type {
  CallRecording,
  ConsultationId,
  DictationPurpose,
  FollowUpBoard,
  FollowUpOutcome,
  Note,
  NoteAudio,
  NoteVersion,
  RecordingFile,
  RecordingView,
  Waveform,
} from '@teleconsult/protocol';
import type { Call, CallOptions, Subscribe, TeleconsultClient } from '../api.ts';

export type OpenRecords = (client: TeleconsultClient, consultationId: string) => Records;

export interface RecordsEvents {
  /** Recordings began, grew, ended, were composed or erased. */
  recordings: readonly RecordingView[];
  notes: readonly Note[];
  followUps: FollowUpBoard;
  /** Dictations of this device: begun, growing, saved, failed. */
  dictations: readonly Dictation[];
}

/** Of one consultation. It keeps itself up to date while the consultation is open in the client. */
export interface Records {
  readonly consultationId: ConsultationId;
  /** As of the last `load…` or event; empty before. */
  readonly recordings: readonly RecordingView[];
  readonly notes: readonly Note[];
  readonly followUps: FollowUpBoard;
  /**
   * Dictations of this device that are not finished on the server: running ones, and those that a crash or reload of the
   * page left (state `interrupted`): offer to continue or to finish them.
   */
  readonly dictations: readonly Dictation[];
  readonly on: Subscribe<RecordsEvents>;
  /** Fetches recordings, notes, follow-ups, and looks for interrupted dictations. What this person may not see is empty. */
  load(options?: CallOptions): Promise<void>;

  /** Recording of the running call. Each answers when the server has it on disk; the call's view tells the rest. */
  readonly callRecording: CallRecordingControl;

  /** A link for `<audio>` or `<video>`, good for about five minutes; it seeks by ranges. Fetch another when it has expired. */
  link(
    file: Pick<RecordingFile, 'fileId'>,
    recording: Pick<RecordingView, 'recordingId'>,
    right: 'play' | 'download',
    options?: CallOptions,
  ): Promise<{ url: string; contentType: string; expiresAt: number }>;
  /** Of all that is heard in it, or of one of the file's `channels`: 0 is the left. */
  waveform(
    file: Pick<RecordingFile, 'fileId'>,
    recording: Pick<RecordingView, 'recordingId'>,
    options?: CallOptions & { readonly channel?: 0 | 1 },
  ): Promise<Waveform>;
  /** Begins to make one file of all; `recordings` tells how it goes. */
  compose(recordingId: string, options?: CallOptions): Promise<RecordingView>;
  /** Erases the media for good. */
  erase(recordingId: string, options?: CallOptions): Promise<RecordingView>;

  /**
   * Asks for the microphone and begins to dictate. From then on every second is kept on this device (IndexedDB) and, while
   * there is a connection, on the server. Rejects with `PERMISSION_DENIED`, `DEVICE_UNAVAILABLE`, `UNSUPPORTED_BROWSER`,
   * `STORAGE_FULL` where the device has no room; `WRONG_STATE` while another dictation of this device runs. The purpose is
   * `health_channel` in a health channel, and there alone.
   */
  dictate(options: {
    purpose: DictationPurpose;
    followUpId?: string;
    signal?: AbortSignal;
  }): Promise<Dictation>;

  createNote(draft: NoteDraft, options?: CallOptions): Promise<Note>;
  /** From the version that was shown; `CONFLICT` when another device saved since. */
  saveNote(
    note: Pick<Note, 'noteId' | 'current'>,
    content: NoteContent,
    options?: CallOptions,
  ): Promise<Note>;
  /** In a health channel it publishes the clip: it never changes then, and nothing is added to it. */
  signNote(note: Pick<Note, 'noteId' | 'current'>, options?: CallOptions): Promise<Note>;
  addToNote(noteId: string, content: NoteContent, options?: CallOptions): Promise<Note>;
  discardNote(noteId: string, options?: CallOptions): Promise<void>;
  noteHistory(noteId: string, options?: CallOptions): Promise<readonly NoteVersion[]>;

  planFollowUp(
    plan: { dueAt: number; reason: string },
    options?: CallOptions,
  ): Promise<{ board: FollowUpBoard; followUpId: string }>;
  changeFollowUp(
    followUpId: string,
    plan: { dueAt: number; reason: string },
    options?: CallOptions,
  ): Promise<FollowUpBoard>;
  cancelFollowUp(followUpId: string, options?: CallOptions): Promise<FollowUpBoard>;
  /** From here until it is completed `consultation.startCall` works again, though the visit has ended. */
  beginFollowUp(followUpId: string, options?: CallOptions): Promise<FollowUpBoard>;
  completeFollowUp(
    followUpId: string,
    result: { outcome: FollowUpOutcome; noteId?: string },
    options?: CallOptions,
  ): Promise<FollowUpBoard>;
  /** The patient does not want to be contacted after the visit (true), or may be (false). */
  refuseContact(refused: boolean, options?: CallOptions): Promise<FollowUpBoard>;

  /** Stops following. A dictation that runs goes on. */
  close(): void;
}

export interface CallRecordingControl {
  /** Asks everybody in the call; it begins when all have agreed. */
  start(call: Call, options?: CallOptions): Promise<CallRecording | null>;
  /** Agrees, or does not (any more): then the recording stops for all. */
  answer(call: Call, granted: boolean, options?: CallOptions): Promise<CallRecording | null>;
  pause(call: Call, options?: CallOptions): Promise<CallRecording | null>;
  resume(call: Call, options?: CallOptions): Promise<CallRecording | null>;
  stop(call: Call, options?: CallOptions): Promise<CallRecording | null>;
}

export interface NoteContent {
  readonly text: string;
  readonly audio: NoteAudio | null;
}

export interface NoteDraft extends NoteContent {
  readonly purpose: DictationPurpose;
  readonly followUpId?: string;
}

export interface DictationEvents {
  changed: Dictation;
  /** 0 to 1, several times a second, while it records. */
  level: number;
}

export interface Dictation {
  /** The device's own id; stays the same over reloads. */
  readonly id: string;
  readonly purpose: DictationPurpose;
  readonly followUpId: string | null;
  readonly startedAt: number;
  /**
   * `recording` ⇄ `paused` → `finishing` (bytes on their way to the server, also over reloads) → `finished`. `interrupted`:
   * its page was closed or died in the middle. `failed`: the server refused it; it is still on this device.
   */
  readonly state: 'recording' | 'paused' | 'interrupted' | 'finishing' | 'finished' | 'failed';
  readonly error: Error | null;
  readonly durationMs: number;
  /** How much of it is on this device, and how much on the server, in milliseconds. */
  readonly keptMs: number;
  readonly savedMs: number;
  /** Once the server knows of it. */
  readonly recording: RecordingView | null;
  readonly on: Subscribe<DictationEvents>;
  pause(): void;
  resume(): void;
  /** Records on, after an interruption too: asks for the microphone anew. */
  continue(options?: CallOptions): Promise<void>;
  /** Ends it; resolves when the server has all of it. Without a connection it goes on by itself once there is one. */
  finish(options?: CallOptions): Promise<RecordingView>;
  /** Throws it away, here and on the server. */
  discard(options?: CallOptions): Promise<void>;
  /** What was recorded so far, for listening before it is finished: one blob a run of the recorder. */
  blobs(): Promise<readonly Blob[]>;
}
