import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PersonId, type RecordingId } from '@teleconsult/protocol';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { sealFileFacts, sealRecordingFacts } from '@teleconsult/server/recordings/sealed-facts';
import { MemoryRecordings } from '@teleconsult/server/storage/memory/memory-recordings';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { joinSeat, startVisit, ticketOf } from '../../helpers/visit.ts';
import {
  contentOf,
  filesOf,
  segmentOf,
  sendSound,
  startRecording,
  startSoundCall,
} from './recorded-visit.ts';

const stateOf = async (app: TestApp, recordingId: RecordingId) =>
  (await app.store.recordings.loadRecording(recordingId))?.state;

test('[D10] [RECS31] a server that is stopped seals every file and marks it; after the start the recording goes on in new files', async () => {
  await using dir = await tempDir();
  const left = await (async () => {
    await using app = await startTestApp({ dataDir: dir.path });
    await using recorded = await startSoundCall(app);
    const recordingId = await startRecording(recorded);
    const { visit, call, people } = recorded;
    for (const person of Object.values(people))
      (await segmentOf(app, person)).emit(Buffer.from(`said by ${person}`));
    await eventually('two files', async () => (await filesOf(recorded, recordingId)).length === 2);
    const since = performance.now();
    await app.app.close();
    expect(performance.now() - since).toBeLessThan(30_000);
    expect(app.recorder.running).toBe(0);
    expect((await app.trackFiles.stored()).files).toEqual([]);
    for (const file of await filesOf(recorded, recordingId)) {
      expect(file.stored.state).toBe('truncated');
      expect(file.facts.truncated).toMatchObject({ reason: 'server_stopped' });
      expect(await contentOf(recorded, file)).toBe(`said by ${file.facts.personId}`);
    }
    const devices = [
      { person: people.patient, device: visit.patient },
      { person: people.doctor, device: visit.doctor },
    ].map(({ person, device }) => ({ person, deviceId: device.deviceId, ticket: ticketOf(device) }));
    return { recordingId, call, visit, people, devices };
  })();
  // The call is taken up again, and with it its recording: whoever comes back is recorded in a new file.
  await using app = await startTestApp({ dataDir: dir.path });
  const { recordingId, call, visit, people } = left;
  expect(await stateOf(app, recordingId)).toBe('running');
  expect(await app.app.host.recordingOf(call.consultationId)).toBe(recordingId);
  await using stack = new AsyncDisposableStack();
  for (const { person, deviceId, ticket } of left.devices) {
    const client = stack.use(await RawClient.connect(app.origin, personToken(person), { deviceId }));
    await client.request('consultation.watch', { consultationId: call.consultationId });
    await joinSeat(client, { ...call, resumeTicket: ticket });
    await sendSound(client, call);
  }
  (await segmentOf(app, people.patient)).emit(Buffer.from('after the restart'));
  const files = await eventually('a third file', async () => {
    const all = await filesOf({ app, visit }, recordingId);
    return all.length === 3 ? all : null;
  });
  expect(files.map(({ stored }) => stored.state)).toEqual(['truncated', 'truncated', 'growing']);
});

/** What a killed process leaves in store and folder, made without one. */
async function leaveBehind(app: TestApp, options: { readonly bytes: string; readonly journal: boolean }) {
  const visit = await startVisit(app);
  const { key } = await app.app.host.sealing(visit.id, null);
  const [recordingId, fileId] = [randomIds.recordingId(), randomIds.fileId()];
  const startedAt = Date.now() - 60_000;
  await app.store.recordings.createRecording({
    recordingId,
    consultationId: visit.id,
    purpose: 'consultation',
    startedBy: PersonId.parse('doctor'),
    startedAt,
    endedAt: null,
    state: 'running',
    clientId: null,
    sealed: sealRecordingFacts(key, recordingId, {
      callId: null,
      followUpId: null,
      composition: { state: 'none' },
    }),
  });
  await app.store.recordings.createFile({
    fileId,
    recordingId,
    consultationId: visit.id,
    kind: 'track',
    createdAt: startedAt,
    state: 'growing',
    byteSize: 0,
    parts: 0,
    sealed: sealFileFacts(key, fileId, {
      personId: PersonId.parse('doctor'),
      source: 'microphone',
      contentType: 'audio/webm;codecs=opus',
      startedAt,
      durationMs: null,
      truncated: null,
      waveform: null,
    }),
  });
  if (options.journal) {
    const file = await app.trackFiles.create({ consultationId: visit.id, recordingId, fileId, key });
    file.append(Buffer.from(options.bytes));
    await file.flush();
  }
  return { visit, recordingId, fileId };
}

test('[RECS32] after a kill files are finished as far as they go, marked, listed, and their recording ends with them', async () => {
  await using dir = await tempDir();
  // The first process is not stopped until the test is over: its files are as a kill left them.
  await using first = await startTestApp({ dataDir: dir.path });
  const { visit, recordingId, fileId } = await leaveBehind(first, { bytes: 'what was said', journal: true });
  const empty = await leaveBehind(first, { bytes: '', journal: false });
  const since = Date.now();
  await using app = await startTestApp({ dataDir: dir.path });
  const [file] = await filesOf({ app, visit }, recordingId);
  if (file === undefined) throw new Error('no file');
  expect(file.stored).toMatchObject({ fileId, state: 'truncated', byteSize: 13, parts: 1 });
  expect(file.facts.truncated).toMatchObject({ reason: 'server_stopped' });
  // When the last bytes were written, not when the server came back.
  expect(file.facts.truncated?.at).toBeLessThanOrEqual(since);
  expect(file.facts.durationMs).toBeGreaterThan(50_000);
  expect(await contentOf({ app, visit }, file)).toBe('what was said');
  expect(await stateOf(app, recordingId)).toBe('ready');
  // What never had a byte is no file.
  expect(await filesOf({ app, visit }, empty.recordingId)).toEqual([]);
  expect(await stateOf(app, empty.recordingId)).toBe('ready');
  await eventually(
    'the journal to be a part',
    async () => (await app.trackFiles.stored()).files.length === 0,
  );
  expect(await contentOf({ app, visit }, file)).toBe('what was said');
  await visit[Symbol.asyncDispose]();
  await empty.visit[Symbol.asyncDispose]();
});

test('[RECS33] journals that nobody knows of are told and kept aside', async () => {
  await using dir = await tempDir();
  {
    await using app = await startTestApp({ dataDir: dir.path });
    expect(app.logs.some((line) => line.includes('recording.unknownJournals'))).toBe(false);
  }
  const name = `rec_${'x'.repeat(22)}.fil_${'x'.repeat(22)}.0.journal`;
  await writeFile(join(dir.path, 'recordings', name), 'sealed');
  await using app = await startTestApp({ dataDir: dir.path });
  const told = app.logs.filter((line) => line.includes('recording.unknownJournals'));
  expect(told).toHaveLength(1);
  expect(told[0]).toContain('"count":1');
  expect((await app.trackFiles.stored()).files).toEqual([]);
});

test('[RECS34] a dictation that was cut off is left to its device', async () => {
  await using dir = await tempDir();
  await using first = await startTestApp({ dataDir: dir.path });
  const { visit, recordingId, fileId } = await leaveBehind(first, { bytes: 'dictated', journal: true });
  const { recordings } = first.store;
  const recording = await recordings.loadRecording(recordingId);
  if (recording === null) throw new Error('no recording');
  // As a dictation: another row, the same file.
  const load = recordings.loadRecording.bind(recordings);
  const memory = new MemoryRecordings();
  await memory.createRecording({ ...recording, purpose: 'summary', clientId: 'dictation-1' });
  for (const file of await recordings.filesOf(recordingId)) await memory.createFile(file);
  await using app = await startTestApp({ dataDir: dir.path, recordings: memory });
  expect(await memory.loadFile(fileId)).toMatchObject({ state: 'growing' });
  expect(await memory.loadRecording(recordingId)).toMatchObject({ state: 'running' });
  const { key } = await app.app.host.sealing(visit.id, null);
  const place = { consultationId: visit.id, recordingId, fileId, key };
  const resumed = await app.trackFiles.resume(place, 0);
  expect(resumed.byteSize).toBe(8);
  expect(await load(recordingId)).not.toBeNull();
  await visit[Symbol.asyncDispose]();
});
