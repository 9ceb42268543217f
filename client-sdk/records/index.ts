export type {
  CallRecording,
  Composition,
  DictationPurpose,
  FollowUp,
  FollowUpBoard,
  FollowUpOutcome,
  FollowUpState,
  Note,
  NoteAudio,
  NoteVersion,
  RecordingFile,
  RecordingRight,
  RecordingView,
  Waveform,
} from '@teleconsult/protocol';
export { type Clip, clipsOf, type HealthChannel, openHealthChannel } from './health-channel.ts';
export { openRecords } from './records.ts';
export type {
  CallRecordingControl,
  Dictation,
  DictationEvents,
  NoteContent,
  NoteDraft,
  OpenRecords,
  Records,
  RecordsEvents,
} from './records-api.ts';
