import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecordingId } from '@teleconsult/protocol';
import { sealFileFacts, sealRecordingFacts } from '@teleconsult/server/recordings/sealed-facts';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { startVisit } from '../../helpers/visit.ts';
import { contentOf, filesOf, segmentOf, startRecording, startSoundCall } from './recorded-visit.ts';

const stateOf = async (app: TestApp, recordingId: RecordingId) =>
  (await app.store.recordings.loadRecording(recordingId))?.state;

test('[D10] [RECS31] a server that is stopped seals every file, marks it as cut off, and leaves no journal behind', async () => {
  await using dir = await tempDir();
  let recordingId: RecordingId;
  let id;
  {
    await using app = await startTestApp({ dataDir: dir.path });
    await using recorded = await startSoundCall(app);
    recordingId = await startRecording(recorded);
    id = recorded.visit.id;
    for (const person of Object.values(recorded.people))
      (await segmentOf(app, person)).emit(Buffer.from(`said by ${person}`));
    await eventually('two files', async () => (await filesOf(recorded, recordingId)).length === 2);
    const since = performance.now();
    await app.app.close();
    expect(performance.now() - since).toBeLessThan(30_000);
    expect(app.recorder.running).toBe(0);
    expect((await app.trackFiles.stored()).files).toEqual([]);
    const files = await filesOf(recorded, recordingId);
    for (const file of files) {
      expect(file.stored.state).toBe('truncated');
      expect(file.facts.truncated).toMatchObject({ reason: 'server_stopped' });
      expect(await contentOf(recorded, file)).toBe(`said by ${file.facts.personId}`);
    }
  }
  // The call is taken up again, and with it its recording.
  await using app = await startTestApp({ dataDir: dir.path });
  expect(await stateOf(app, recordingId)).toBe('running');
  expect(await app.app.host.recordingOf(id)).toBe(recordingId);
});

/** What a killed process leaves in store and folder, made without one. */
async function leaveBehind(app: TestApp, options: { readonly bytes: string; readonly journal: boolean }) {
  const visit = await startVisit(app);
  const { key } = await app.app.host.sealing(visit.id, null);
  const { randomIds } = await import('@teleconsult/server/host/random-ids');
  const [recordingId, fileId] = [randomIds.recordingId(), randomIds.fileId()];
  const startedAt = Date.now() - 60_000;
  await app.store.recordings.createRecording({
    recordingId,
    consultationId: visit.id,
    purpose: 'consultation',
    startedBy: 'doctor' as never,
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
      personId: 'doctor' as never,
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
  const { MemoryRecordings } = await import('@teleconsult/server/storage/memory/memory-recordings');
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
