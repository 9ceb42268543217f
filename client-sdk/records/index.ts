export type {
  CallRecording,
  Composition,
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
