import { PhoneCallId, RecordingId } from '@teleconsult/protocol';
import type { StoredRecording } from './ports.ts';

/** Whether it is of people who talked with each other, of whom each may know; else it is its author's. */
export const isOfCall = ({ purpose }: Pick<StoredRecording, 'purpose'>): boolean =>
  purpose === 'consultation' || purpose === 'phone_call';

/** Ids that the server makes are random behind their prefix. */
const PREFIX = /^[a-z]+_/;

/**
 * The recording of a phone call is named after it: however often its beginning is told, and by whom, there is one, and who
 * knows the one knows the other.
 */
export const recordingIdOf = (phoneCallId: PhoneCallId): RecordingId =>
  RecordingId.parse(phoneCallId.replace(PREFIX, 'rec_'));

/** The phone call that a recording is of; null: it is of none. */
export const phoneCallIdOf = ({
  purpose,
  recordingId,
}: Pick<StoredRecording, 'purpose' | 'recordingId'>): PhoneCallId | null =>
  purpose === 'phone_call' ? PhoneCallId.parse(recordingId.replace(PREFIX, 'pcl_')) : null;
