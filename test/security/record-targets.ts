import {
  type CallId,
  type ConsultationId,
  type FileId,
  type FollowUpId,
  type NoteId,
  RecordingId,
} from '@teleconsult/protocol';
import type { RawClient } from '../helpers/raw-client.ts';
import { validPayloads } from './valid-payloads.ts';

/** What a WebM begins with (EBML): bytes that are taken for the beginning of a dictation. */
const BEGINNING = Buffer.from([0x1a, 0x45, 0xdf, 0xa3, ...Buffer.alloc(60)]);

/** Ids of a recording that is asked for, a dictation with a file, a draft and a follow-up. */
export interface RecordTargets {
  readonly callRecordingId: RecordingId;
  readonly recordingId: RecordingId;
  readonly fileId: FileId;
  readonly noteId: NoteId;
  readonly followUpId: FollowUpId;
}

/** The doctor asks to record the call, dictates, begins a note and plans a follow-up. */
export async function startRecords(
  origin: string,
  { client, token }: { client: RawClient; token: string },
  call: { consultationId: ConsultationId; callId: CallId },
): Promise<RecordTargets> {
  const { consultationId } = call;
  const payloads = validPayloads();
  const asked = await client.request('recording.start', call);
  const { recording } = await client.request('dictation.begin', {
    ...payloads['dictation.begin'],
    consultationId,
  });
  const { recordingId } = recording;
  const path = `/v1/consultations/${consultationId}/dictations/${recordingId}/files/0?offset=0`;
  const sent = await fetch(origin + path, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
    body: BEGINNING,
  });
  if (!sent.ok) throw new Error(`the dictation was answered ${sent.status}: ${await sent.text()}`);
  const { recordings } = await client.request('recording.list', { consultationId });
  const fileId = recordings.find((one) => one.recordingId === recordingId)?.files[0]?.fileId;
  if (fileId === undefined) throw new Error('the dictation has no file');
  const { note } = await client.request('note.create', { ...payloads['note.create'], consultationId });
  const { followUpId } = await client.request('followUp.plan', {
    ...payloads['followUp.plan'],
    consultationId,
  });
  const callRecordingId = RecordingId.parse(asked.call.recording?.recordingId);
  return { callRecordingId, recordingId, fileId, noteId: note.noteId, followUpId };
}
