import { AppError } from '@teleconsult/protocol';
import { openRecordingFacts } from '@teleconsult/server/recordings/sealed-facts';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import {
  asked,
  consultationId,
  fileId,
  openStage,
  recordingId,
  type Stage,
  tone,
} from './playback.fixtures.ts';

const recording = { consultationId, recordingId: recordingId(1) };

const compositionOf = async ({ store, key }: Stage) => {
  const stored = await store.loadRecording(recording.recordingId);
  if (stored === null) throw new Error('There is no recording.');
  return openRecordingFacts(key, stored).composition;
};

/** Reading this file stands still from its first piece on; resolves when it does. */
function standStill(
  stage: Stage,
  from: (file: string) => boolean,
): { reached: Promise<void>; goOn: () => void } {
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const open = stage.files.open.bind(stage.files);
  stage.files.open = async (place) => {
    const opened = await open(place);
    if (!from(place.fileId)) return opened;
    return {
      ...opened,
      async *read(range) {
        for await (const bytes of opened.read(range)) {
          reached.resolve();
          for (let n = 0; n < 1_000; n += 1) {
            // A file that is long: there is always another piece.
            yield bytes.subarray(0, 0);
            await new Promise((resolve) => setTimeout(resolve, 10));
            if (await Promise.race([gate.promise.then(() => true), Promise.resolve(false)])) break;
          }
          yield bytes;
        }
      },
    };
  };
  return { reached: reached.promise, goOn: gate.resolve };
}

const within = async (ms: number, promise: Promise<unknown>): Promise<boolean> => {
  const started = performance.now();
  await promise;
  return performance.now() - started < ms;
};

test('[PLAY23] a composition that could not be written down as waiting is made all the same', async () => {
  await using stage = await openStage();
  await stage.record(1, { files: [{ number: 1, bytes: await tone(1) }] });
  const update = stage.store.updateRecording.bind(stage.store);
  let left = 3;
  stage.store.updateRecording = async (...change) => {
    left -= 1;
    if (left >= 0) throw new AppError('STORAGE_UNAVAILABLE');
    return update(...change);
  };
  await expect(stage.playback.compose(recording, asked('doc'))).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
  });
  await stage.playback.compose(recording, asked('doc'));
  await eventually('it is ready', async () => (await compositionOf(stage)).state === 'ready', {
    withinMs: 30_000,
  });
});

test('[PLAY22] a server that stops does not wait until a long track is measured', async () => {
  await using stage = await openStage();
  await stage.record(1, { files: [{ number: 1, bytes: await tone(1) }] });
  const { reached, goOn } = standStill(stage, (file) => file === fileId(1));
  await stage.playback.compose(recording, asked('doc'));
  await reached;
  expect(await within(3_000, stage.playback.close())).toBe(true);
  goOn();
});

test('[PLAY22] a composition that was made when the server stopped is not lost', async () => {
  await using stage = await openStage();
  await stage.record(1, { files: [{ number: 1, bytes: await tone(1) }] });
  const { reached, goOn } = standStill(stage, (file) => file !== fileId(1));
  await stage.playback.compose(recording, asked('doc'));
  await reached;
  expect(await within(3_000, stage.playback.close())).toBe(true);
  goOn();
  expect((await compositionOf(stage)).state).toBe('ready');
});

test('[PLAY33] erasing does not wait until a long track is measured', async () => {
  await using stage = await openStage();
  await stage.record(1, { files: [{ number: 1, bytes: await tone(1) }] });
  const { reached, goOn } = standStill(stage, (file) => file === fileId(1));
  await stage.playback.compose(recording, asked('doc'));
  await reached;
  expect(await within(3_000, stage.playback.delete(recording, asked('doc')))).toBe(true);
  goOn();
  expect(stage.files.kept.size).toBe(0);
});

test('[PLAY18] more files than are put off that cannot be measured now are not tried without a pause', async () => {
  await using stage = await openStage();
  const bytes = Buffer.from('sound');
  const files = Array.from({ length: 1_100 }, (_, n) => ({ number: n + 1, bytes }));
  await stage.record(1, { files });
  let opened = 0;
  stage.files.open = async () => {
    opened += 1;
    await new Promise((resolve) => setImmediate(resolve));
    throw new AppError('STORAGE_UNAVAILABLE');
  };
  stage.playback.fileFinished();
  await eventually('all that are put off were tried', () => opened >= 1_000);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(opened).toBeLessThan(1_200);
});

test('[PLAY32] devices are told that a recording is erased also when its bytes go later', async () => {
  await using stage = await openStage();
  await stage.record(1, { files: [{ number: 1, bytes: Buffer.from('sound') }] });
  stage.files.failing = new AppError('STORAGE_UNAVAILABLE');
  await expect(stage.playback.delete(recording, asked('doc'))).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
  });
  expect(stage.told).toContainEqual({ to: 'watchers', name: 'recording.changed' });
});

test('[PLAY10] that erasing was refused because it is still recorded is on record', async () => {
  await using stage = await openStage();
  await stage.record(1, { state: 'running' });
  await expect(stage.playback.delete(recording, asked('doc'))).rejects.toMatchObject({ code: 'WRONG_STATE' });
  expect(stage.audit.rows.map(({ action, result }) => [action, result])).toEqual([
    ['recording.delete', 'refused'],
  ]);
});

test('[PLAY39] a list of many long files lets others have their turn', async () => {
  await using stage = await openStage();
  const bytes = Buffer.from('sound');
  await stage.record(1, { files: Array.from({ length: 40 }, (_, n) => ({ number: n + 1, bytes })) });
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const { recordings } = await stage.playback.list({ consultationId }, asked('doc'));
  isOver = true;
  expect(recordings[0]?.files).toHaveLength(40);
  expect(turns).toBeGreaterThanOrEqual(40);
});
