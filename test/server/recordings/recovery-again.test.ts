import { AppError, PersonId } from '@teleconsult/protocol';
import type { StoredFile } from '@teleconsult/server/recordings/ports';
import { Recovery, type RecoveryParts } from '@teleconsult/server/recordings/recovery';
import { sealFileFacts, sealRecordingFacts } from '@teleconsult/server/recordings/sealed-facts';
import { MemoryRecordings } from '@teleconsult/server/storage/memory/memory-recordings';
import { expect, test } from 'vitest';
import {
  consultationId,
  type Disk,
  fileId,
  noLog,
  openDisk,
  recordingId,
} from '../../contract/track-files.fixtures.ts';
import { eventually } from '../../helpers/eventually.ts';

const person = PersonId.parse('doctor');

/** A recording of a call with growing files of these letters, as a kill left it. */
async function leftBehind(disk: Disk, letters: string): Promise<MemoryRecordings> {
  const store = new MemoryRecordings();
  const { key } = disk.place('a');
  await store.createRecording({
    recordingId,
    consultationId,
    purpose: 'consultation',
    startedBy: person,
    startedAt: 1_000,
    endedAt: null,
    state: 'running',
    clientId: null,
    sealed: sealRecordingFacts(key, recordingId, {
      callId: null,
      followUpId: null,
      composition: { state: 'none' },
    }),
  });
  const before = disk.files();
  for (const letter of letters) {
    const place = disk.place(letter);
    await store.createFile({
      fileId: place.fileId,
      recordingId,
      consultationId,
      kind: 'track',
      createdAt: 1_000,
      state: 'growing',
      byteSize: 0,
      parts: 0,
      sealed: sealFileFacts(key, place.fileId, {
        personId: person,
        source: 'microphone',
        contentType: 'audio/webm;codecs=opus',
        startedAt: 1_000,
        durationMs: null,
        truncated: null,
        waveform: null,
      }),
    });
    const file = await before.create(place);
    file.append(Buffer.from(`said in ${letter}`));
    await file.close();
  }
  await before.close();
  return store;
}

function recoveryOf(disk: Disk, store: MemoryRecordings, change: Partial<RecoveryParts> = {}) {
  const stopping = new AbortController();
  const files = disk.files();
  const recovery = new Recovery({
    store,
    files,
    clock: Date.now,
    log: noLog,
    news: { changed: () => {} },
    keyOf: async () => disk.place('a').key,
    recordingOf: async () => null,
    measuring: () => {},
    signal: stopping.signal,
    ...change,
  });
  return { recovery, stopping, files };
}

const states = async (store: MemoryRecordings): Promise<StoredFile['state'][]> =>
  (await store.filesOf(recordingId)).map(({ state }) => state);

test('[RECS32] a recording whose key cannot be asked for at the start ends when it can, after its files', async () => {
  await using disk = await openDisk();
  const store = await leftBehind(disk, 'ab');
  let isAway = true;
  const { recovery, stopping, files } = recoveryOf(disk, store, {
    keyOf: async () => {
      if (isAway) throw new AppError('STORAGE_UNAVAILABLE');
      return disk.place('a').key;
    },
  });
  await recovery.finishFiles();
  await recovery.endRecordings();
  expect(await states(store)).toEqual(['growing', 'growing']);
  expect((await store.loadRecording(recordingId))?.state).toBe('running');
  isAway = false;
  const seen = await eventually(
    'the recording to be ready',
    async () => ((await store.loadRecording(recordingId))?.state === 'ready' ? states(store) : null),
    { withinMs: 20_000 },
  );
  expect(seen).toEqual(['truncated', 'truncated']);
  stopping.abort();
  await recovery.stopped();
  await files.close();
}, 40_000);

test('[RECS32] a server that is told to stop while it takes up files leaves the rest, and their recording, to the next start', async () => {
  await using disk = await openDisk();
  const store = await leftBehind(disk, 'abcdefgh');
  const { recovery, stopping, files } = recoveryOf(disk, store);
  const update = store.updateFile.bind(store);
  store.updateFile = (file) => {
    stopping.abort();
    return update(file);
  };
  await recovery.finishFiles();
  await recovery.endRecordings();
  await recovery.stopped();
  expect((await states(store)).filter((state) => state === 'growing').length).toBeGreaterThan(0);
  expect((await store.loadRecording(recordingId))?.state).toBe('running');
  const next = recoveryOf(disk, store);
  await next.recovery.finishFiles();
  await next.recovery.endRecordings();
  expect(new Set(await states(store))).toEqual(new Set(['truncated']));
  expect(await store.loadFile(fileId('h'))).toMatchObject({ byteSize: 9, parts: 1 });
  expect((await store.loadRecording(recordingId))?.state).toBe('ready');
  await files.close();
  await next.files.close();
});
