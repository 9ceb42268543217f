import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { FakeSegment } from '@teleconsult/media';
import type { CallId, CallMedia, RecordingId } from '@teleconsult/protocol';
import type { StoredFile } from '@teleconsult/server/recordings/ports';
import type { FileFacts } from '@teleconsult/server/recordings/sealed-facts';
import { openFileFacts } from '@teleconsult/server/recordings/sealed-facts';
import { eventually } from '../../helpers/eventually.ts';
import type { RawClient } from '../../helpers/raw-client.ts';
import type { TestApp } from '../../helpers/test-app.ts';
import { startCall, startVisit, type Visit } from '../../helpers/visit.ts';
import { microphoneParameters } from '../../security/valid-payloads.ts';

export interface RecordedVisit extends AsyncDisposable {
  readonly app: TestApp;
  readonly visit: Visit;
  readonly call: { readonly consultationId: Visit['id']; readonly callId: CallId };
  readonly people: { readonly patient: string; readonly doctor: string };
}

/** Patient and doctor in a call, each sending sound. Nothing is recorded yet. */
export async function startSoundCall(app: TestApp, media: CallMedia = 'voice'): Promise<RecordedVisit> {
  const visit = await startVisit(app);
  const callId = await startCall(visit, media);
  const call = { consultationId: visit.id, callId };
  for (const client of [visit.patient, visit.doctor]) await sendSound(client, call);
  const of = (role: string) =>
    visit.view.participants.find((participant) => participant.role === role)?.personId ?? '';
  return {
    app,
    visit,
    call,
    people: { patient: of('patient'), doctor: of('doctor') },
    [Symbol.asyncDispose]: () => visit[Symbol.asyncDispose](),
  };
}

export const sendSound = (client: RawClient, call: RecordedVisit['call']) =>
  client.request('seat.produce', {
    ...call,
    source: 'microphone',
    kind: 'audio',
    rtpParameters: microphoneParameters,
  });

/** The doctor asks, the patient agrees. */
export async function startRecording({ visit, call }: RecordedVisit): Promise<RecordingId> {
  const recordingId = await askForRecording({ visit, call });
  await visit.patient.request('recording.answer', { ...call, recordingId, granted: true });
  return recordingId;
}

export async function askForRecording({
  visit,
  call,
}: Pick<RecordedVisit, 'visit' | 'call'>): Promise<RecordingId> {
  const asked = await visit.doctor.request('recording.start', call);
  const { recordingId = null } = asked.call.recording ?? {};
  if (recordingId === null) throw new Error('nothing was asked for');
  return recordingId;
}

/** The running segment of a person's sound. */
export const segmentOf = (app: TestApp, person: string): Promise<FakeSegment> =>
  eventually(
    `a segment of ${person}`,
    () => app.recorder.segments.find(({ options }) => options.seatId === person),
    { lastSeen: () => app.recorder.segments.map(({ options }) => `${options.seatId} ${options.source}`) },
  );

export interface ReadFile {
  readonly stored: StoredFile;
  readonly facts: FileFacts;
}

/** The files of a recording with what is known of them. */
export async function filesOf(
  { app, visit }: Pick<RecordedVisit, 'app' | 'visit'>,
  recordingId: RecordingId,
): Promise<ReadFile[]> {
  const { key } = await app.app.host.sealing(visit.id, null);
  const files = await app.store.recordings.filesOf(recordingId);
  return files.map((stored) => ({ stored, facts: openFileFacts(key, stored) }));
}

/** What a finished file holds. */
export async function contentOf(
  { app, visit }: Pick<RecordedVisit, 'app' | 'visit'>,
  { stored }: ReadFile,
): Promise<string> {
  const { key } = await app.app.host.sealing(visit.id, null);
  const { consultationId, recordingId, fileId } = stored;
  await using opened = await app.trackFiles.open({ consultationId, recordingId, fileId, key }, stored);
  return (await buffer(Readable.from(opened.read()))).toString('latin1');
}
