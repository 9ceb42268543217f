import { AppError } from '@teleconsult/protocol';
import { openRecordingFacts, sealRecordingFacts } from '@teleconsult/server/recordings/sealed-facts';
import { expect, test } from 'vitest';
import { asked, consultationId, fileId, openStage, recordingId, tone } from './playback.fixtures.ts';

const recording = { consultationId, recordingId: recordingId(1) };
const bytes = Buffer.from('sound');

test('[PLAY30] erasing takes the media and what is known of them; that it was made, by whom and when stays', async () => {
  await using stage = await openStage();
  await stage.record(1, {
    files: [
      { number: 1, bytes },
      { number: 2, bytes },
    ],
  });
  const { recording: view } = await stage.playback.delete(recording, asked('doc'));
  expect(view).toMatchObject({
    state: 'erased',
    files: [],
    rights: [],
    startedBy: 'doc',
    startedAt: 1_000_001,
  });
  expect(stage.files.kept.size).toBe(0);
  expect(await stage.store.filesOf(recording.recordingId)).toEqual([]);
  const stored = await stage.store.loadRecording(recording.recordingId);
  if (stored === null) throw new Error('There is none.');
  expect(openRecordingFacts(stage.key, stored)).toEqual({
    callId: null,
    followUpId: null,
    composition: { state: 'none' },
  });
  const again = await stage.playback.delete(recording, asked('doc')).catch((error: unknown) => error);
  expect(again).toMatchObject({ recording: { state: 'erased' } });
  expect(stage.audit.rows.filter(({ action }) => action === 'recording.delete')).toHaveLength(1);
  expect(stage.told.at(-1)).toEqual({ to: 'watchers', name: 'recording.changed' });
});

test('[PLAY31] what is being recorded cannot be erased', async () => {
  await using stage = await openStage();
  await stage.record(1, { state: 'running', files: [{ number: 1, bytes, state: 'growing' }] });
  await expect(stage.playback.delete(recording, asked('doc'))).rejects.toMatchObject({ code: 'WRONG_STATE' });
  expect(stage.files.kept.size).toBe(1);
});

test('[PLAY32] erasing that was cut off at any step looks erased at once and is finished at the next start', async () => {
  for (let step = 0; step < 5; step += 1) {
    await using stage = await openStage();
    await stage.record(1, {
      files: [
        { number: 1, bytes },
        { number: 2, bytes },
      ],
    });
    let left = step;
    const { files, store } = stage;
    const [remove, forget] = [files.remove.bind(files), store.removeFile.bind(store)];
    const cutOff = async (): Promise<void> => {
      if (left === 0) throw new AppError('STORAGE_UNAVAILABLE');
      left -= 1;
    };
    files.remove = async (place) => {
      await cutOff();
      await remove(place);
    };
    store.removeFile = async (file) => {
      await cutOff();
      await forget(file);
    };
    const erased = await stage.playback.delete(recording, asked('doc')).then(
      () => true,
      () => false,
    );
    expect(erased).toBe(step === 4);
    const { recordings } = await stage.playback.list({ consultationId }, asked('doc'));
    expect(recordings[0]).toMatchObject({ state: 'erased', files: [] });
    left = 100;
    await stage.restarted().start();
    expect([stage.files.kept.size, await store.filesOf(recording.recordingId)]).toEqual([0, []]);
  }
});

test('[PLAY33] erasing stops a composition that works, and leaves nothing of it', async () => {
  await using stage = await openStage();
  await stage.record(1, { files: [{ number: 1, bytes: await tone(60) }] });
  await stage.playback.compose(recording, asked('doc'));
  await stage.playback.delete(recording, asked('doc'));
  expect(stage.files.kept.size).toBe(0);
  expect(await stage.store.filesOf(recording.recordingId)).toEqual([]);
  expect(await stage.store.growingFiles()).toEqual([]);
});

test('[PLAY34] the host application lists and erases, and each is on record as its doing', async () => {
  await using stage = await openStage();
  await stage.record(1, { files: [{ number: 1, bytes }] });
  const [listed] = await stage.playback.listForHost(consultationId);
  expect(listed?.rights).toEqual(['delete']);
  expect(await stage.playback.deleteForHost(consultationId, recording.recordingId)).toMatchObject({
    state: 'erased',
  });
  expect(stage.audit.rows.map(({ who, action, result }) => [who, action, result])).toEqual([
    ['host', 'recording.list', 'granted'],
    ['host', 'recording.delete', 'granted'],
  ]);
});

test('[PLAY35] a composition that a kill left behind its time is not shown as working, and can be asked for', async () => {
  await using stage = await openStage();
  await stage.record(1, { files: [{ number: 1, bytes: await tone(1) }] });
  const facts = { callId: null, followUpId: null, composition: { state: 'working', progress: 0.4 } } as const;
  const sealed = sealRecordingFacts(stage.key, recording.recordingId, facts);
  await stage.store.updateRecording({ ...recording, state: 'ready', endedAt: 1, sealed }, ['ready']);
  const { recordings } = await stage.playback.list({ consultationId }, asked('doc'));
  expect(recordings[0]?.composition).toEqual({ state: 'none' });
  const { recording: view } = await stage.playback.compose(recording, asked('doc'));
  expect(['waiting', 'working']).toContain(view.composition.state);
  expect(fileId(1)).toBe(view.files[0]?.fileId);
});

test('[PLAY33] a dictation is not erased while a note that holds it is being signed', async () => {
  await using stage = await openStage();
  await stage.record(1, { purpose: 'summary', files: [{ number: 1, bytes }] });
  const gate = Promise.withResolvers<void>();
  const signing = stage.playback.whileKept(consultationId, async () => {
    await gate.promise;
    stage.held.add(recording.recordingId);
  });
  const erasing = stage.playback.delete(recording, asked('doc'));
  gate.resolve();
  await signing;
  await expect(erasing).rejects.toMatchObject({ code: 'WRONG_STATE' });
  expect(stage.files.kept.size).toBe(1);
});
