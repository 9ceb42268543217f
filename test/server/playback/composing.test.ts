import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { openFileFacts, openRecordingFacts } from '@teleconsult/server/recordings/sealed-facts';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import {
  asked,
  consultationId,
  FFMPEG,
  fileId,
  openStage,
  person,
  picture,
  recordingId,
  type Stage,
  tone,
} from './playback.fixtures.ts';

const run = promisify(execFile);
const recording = { consultationId, recordingId: recordingId(1) };

/** The loudness of a band of a second of sound, in dB. */
async function loudness(bytes: Buffer, at: number, hertz: number): Promise<number> {
  const child = run(
    FFMPEG,
    [
      ['-hide_banner', '-ss', String(at), '-t', '0.5', '-i', 'pipe:0'],
      ['-af', `bandpass=f=${hertz}:width_type=h:w=60,volumedetect`, '-vn', '-f', 'null', '-'],
    ].flat(),
  );
  child.child.stdin?.on('error', () => undefined);
  child.child.stdin?.end(bytes);
  const { stderr } = await child;
  return Number(/mean_volume: (-?[\d.]+) dB/.exec(stderr)?.[1] ?? -99);
}

/** The colour of one place of a picture at a moment. */
async function colour(bytes: Buffer, at: number, [x, y]: readonly [number, number]): Promise<number[]> {
  const child = run(
    FFMPEG,
    [
      ['-v', 'error', '-i', 'pipe:0', '-ss', String(at), '-frames:v', '1'],
      ['-vf', `crop=2:2:${x}:${y}`, '-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'],
    ].flat(),
    { encoding: 'buffer' },
  );
  child.child.stdin?.on('error', () => undefined);
  child.child.stdin?.end(bytes);
  return [...(await child).stdout.subarray(0, 3)];
}

const compositionOf = async ({ store, key }: Stage) => {
  const stored = await store.loadRecording(recording.recordingId);
  if (stored === null) throw new Error('There is no recording.');
  return openRecordingFacts(key, stored).composition;
};

async function composed(stage: Stage): Promise<{ bytes: Buffer; durationMs: number; contentType: string }> {
  const ready = await eventually(
    'the composition is ready',
    async () => {
      const composition = await compositionOf(stage);
      if (composition.state === 'failed') throw new Error(composition.reason);
      return composition.state === 'ready' && composition;
    },
    { withinMs: 60_000 },
  );
  const bytes = stage.files.kept.get(ready.fileId);
  if (bytes === undefined) throw new Error('There is no file.');
  expect(bytes.byteLength).toBe(ready.byteSize);
  return { bytes, durationMs: ready.durationMs, contentType: ready.contentType };
}

test('[PLAY20] the sound of all tracks is mixed, each from where it began', async () => {
  await using stage = await openStage();
  await stage.record(1, {
    files: [
      { number: 1, bytes: await tone(3, 400), facts: { startedAt: 1_000_000 } },
      {
        number: 2,
        bytes: await tone(3, 1_500),
        facts: { startedAt: 1_002_000, personId: person('pat') },
      },
    ],
  });
  const { recording: view } = await stage.playback.compose(recording, asked('doc'));
  expect(['waiting', 'working']).toContain(view.composition.state);
  const { bytes, durationMs, contentType } = await composed(stage);
  expect(contentType).toBe('audio/webm;codecs=opus');
  expect(Math.abs(durationMs - 5_000)).toBeLessThan(200);
  const heard = async (at: number) =>
    [await loudness(bytes, at, 400), await loudness(bytes, at, 1_500)].map((level) => level > -40);
  expect(await heard(0.7)).toEqual([true, false]);
  expect(await heard(2.3)).toEqual([true, true]);
  expect(await heard(4)).toEqual([false, true]);
});

test('[PLAY21] two people stand side by side, each while their picture was there', {
  timeout: 120_000,
}, async () => {
  await using stage = await openStage();
  const camera = { source: 'camera', contentType: 'video/webm;codecs=vp8' } as const;
  await stage.record(1, {
    files: [
      { number: 1, bytes: await tone(4), facts: { startedAt: 1_000_000 } },
      { number: 2, bytes: await picture(4), facts: { ...camera, startedAt: 1_000_000 } },
      {
        number: 3,
        bytes: await picture(2),
        facts: { ...camera, startedAt: 1_002_000, personId: person('pat') },
      },
    ],
  });
  await stage.playback.compose(recording, asked('doc'));
  const { bytes, durationMs, contentType } = await composed(stage);
  expect(contentType).toBe('video/webm;codecs="vp8,opus"');
  expect(Math.abs(durationMs - 4_000)).toBeLessThan(300);
  const black = (rgb: readonly number[]) => rgb.every((part) => part < 40);
  expect(black(await colour(bytes, 1, [100, 100]))).toBe(false);
  expect(black(await colour(bytes, 1, [740, 100]))).toBe(true);
  expect(black(await colour(bytes, 3, [740, 100]))).toBe(false);
});

test('[PLAY22] a composition that a stop of the server cut off begins anew, and is told of as it goes', async () => {
  await using stage = await openStage();
  await stage.record(1, { files: [{ number: 1, bytes: await tone(20) }] });
  await stage.playback.compose(recording, asked('doc'));
  await stage.playback.close();
  expect(['waiting', 'working']).toContain((await compositionOf(stage)).state);
  expect(await stage.store.growingFiles()).toHaveLength(1);
  const again = stage.restarted();
  await again.start();
  const { durationMs } = await composed(stage);
  expect(Math.abs(durationMs - 20_000)).toBeLessThan(200);
  expect(stage.told.filter(({ name }) => name === 'recording.changed').length).toBeGreaterThan(2);
  expect(await stage.store.growingFiles()).toHaveLength(0);
});

test('[PLAY23] asking again makes no second one; one that failed can be asked for again', async () => {
  await using stage = await openStage();
  await stage.record(1, { files: [{ number: 1, bytes: Buffer.from('no sound at all') }] });
  await stage.playback.compose(recording, asked('doc'));
  await stage.playback.compose(recording, asked('doc'));
  await eventually('it failed', async () => (await compositionOf(stage)).state === 'failed');
  expect(await compositionOf(stage)).toEqual({ state: 'failed', reason: 'media' });
  await eventually(
    'its file is gone',
    async () => (await stage.store.filesOf(recording.recordingId)).length === 1,
  );
  stage.files.kept.set(fileId(2), await tone(1));
  await stage.record(2, { files: [{ number: 2, bytes: await tone(1) }] });
  const other = { consultationId, recordingId: recordingId(2) };
  await stage.playback.compose(other, asked('doc'));
  await stage.playback.compose(recording, asked('doc'));
  await eventually(
    'both ended',
    async () => {
      const { recordings } = await stage.playback.list({ consultationId }, asked('doc'));
      return (
        recordings
          .map(({ composition }) => composition.state)
          .sort()
          .join() === 'failed,ready'
      );
    },
    { withinMs: 30_000 },
  );
});

test('[PLAY24] a composed file is measured: it can be sought in, and nothing plays before it is asked for', async () => {
  await using stage = await openStage();
  await stage.record(1, { files: [{ number: 1, bytes: await tone(3) }] });
  await stage.playback.compose(recording, asked('doc'));
  await composed(stage);
  const [composedFile] = (await stage.store.filesOf(recording.recordingId)).filter(
    ({ kind }) => kind === 'composed',
  );
  if (composedFile === undefined) throw new Error('There is none.');
  const facts = openFileFacts(stage.key, composedFile);
  expect(facts.seekIndex).toBeDefined();
  expect(facts.waveform?.peaks.length).toBeGreaterThan(25);
});
