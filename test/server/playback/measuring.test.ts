import { AppError } from '@teleconsult/protocol';
import { LoudnessMeter } from '@teleconsult/server/playback/loudness';
import { openFileFacts } from '@teleconsult/server/recordings/sealed-facts';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import {
  asked,
  consultationId,
  converted,
  fileId,
  openStage,
  picture,
  recorded,
  recordingId,
  type Stage,
  tone,
} from './playback.fixtures.ts';

const factsOf = async ({ store, key }: Stage, number: number) => {
  const file = await store.loadFile(fileId(number));
  if (file === null) throw new Error('There is no file.');
  return openFileFacts(key, file);
};
const measured = (stage: Stage) =>
  eventually('everything is measured', async () => (await stage.store.unmeasuredFiles(1)).length === 0);

/** Half a second of tone, a second of silence, and so on. */
const beeps = (seconds: number): Promise<Buffer> =>
  recorded(
    '-f',
    'lavfi',
    '-i',
    `aevalsrc='0.8*sin(2*PI*440*t)*lt(mod(t,1.5),0.5)':s=48000:d=${seconds}`,
    '-c:a',
    'libopus',
  );

test('[PLAY17] a finished file gets its length, its loudness and its index, and devices are told', async () => {
  await using stage = await openStage();
  await stage.record(1, { files: [{ number: 1, bytes: await beeps(9) }] });
  stage.playback.fileFinished();
  await measured(stage);
  const { durationMs, waveform, seekIndex } = await factsOf(stage, 1);
  expect(Math.abs((durationMs ?? 0) - 9_000)).toBeLessThan(100);
  expect(seekIndex).toBeDefined();
  expect(waveform?.stepMs).toBe(100);
  const loud = waveform?.peaks.map((peak) => peak > 20) ?? [];
  for (const [at, isLoud] of [
    [0.25, true],
    [1, false],
    [1.75, true],
    [2.5, false],
    [7.75, true],
    [8.5, false],
  ] as const)
    expect(loud[Math.round(at * 10)], `at ${at} s`).toBe(isLoud);
  await eventually('devices were told', () => stage.told.some(({ name }) => name === 'recording.changed'));
  const shown = await stage.playback.waveform(
    { consultationId, recordingId: recordingId(1), fileId: fileId(1) },
    asked('pat'),
  );
  expect(shown).toEqual(waveform);
});

test('[PLAY17] what was finished before the server started is measured after it, one that was cut like any other', async () => {
  await using stage = await openStage();
  const sound = await tone(6);
  await stage.record(1, {
    files: [
      { number: 1, bytes: sound.subarray(0, sound.byteLength >> 1), state: 'truncated' },
      {
        number: 2,
        bytes: await picture(3),
        facts: { source: 'camera', contentType: 'video/webm;codecs=vp8' },
      },
    ],
  });
  await stage.playback.start();
  await measured(stage);
  const [cut, seen] = [await factsOf(stage, 1), await factsOf(stage, 2)];
  expect(Math.abs((cut.durationMs ?? 0) - 3_000)).toBeLessThan(400);
  expect(Math.abs((seen.durationMs ?? 0) - 3_000)).toBeLessThan(200);
  expect([cut.waveform === null, seen.waveform === null]).toEqual([false, true]);
});

test('[PLAY18] what cannot be measured stays as it is, and does not keep the others', async () => {
  await using stage = await openStage();
  await stage.record(1, {
    files: [
      { number: 1, bytes: Buffer.from('no media'), facts: { durationMs: 1_234 } },
      { number: 2, bytes: await tone(2) },
    ],
  });
  await stage.playback.start();
  await measured(stage);
  expect(await factsOf(stage, 1)).toMatchObject({ durationMs: 1_234, waveform: null });
  expect((await factsOf(stage, 2)).seekIndex).toBeDefined();
});

test('[PLAY18] what Safari records, MP4 in fragments, has a length and loudness and is served as it is', async () => {
  await using stage = await openStage();
  const bytes = await converted(
    ...['-f', 'lavfi', '-i', 'sine=440:d=4', '-c:a', 'aac'],
    ...['-movflags', 'frag_keyframe+empty_moov+default_base_moof', '-f', 'mp4'],
  );
  await stage.record(1, {
    purpose: 'summary',
    files: [{ number: 1, bytes, facts: { contentType: 'audio/mp4' } }],
  });
  await stage.playback.start();
  await measured(stage);
  const { durationMs, waveform, seekIndex } = await factsOf(stage, 1);
  expect(Math.abs((durationMs ?? 0) - 4_000)).toBeLessThan(150);
  expect([waveform?.peaks.length ?? 0, seekIndex]).toEqual([expect.closeTo(40, -1), undefined]);
  expect(stage.told.map(({ to }) => to)).toEqual(['doc']);
});

test('[PLAY18] files that cannot be read now are measured at the next start', async () => {
  await using stage = await openStage();
  await stage.record(1, { files: [{ number: 1, bytes: await tone(2) }] });
  stage.files.failing = new AppError('STORAGE_UNAVAILABLE');
  await stage.playback.start();
  await stage.playback.close();
  expect(await stage.store.unmeasuredFiles(5)).toHaveLength(1);
  stage.files.failing = null;
  await stage.restarted().start();
  await measured(stage);
  expect((await factsOf(stage, 1)).seekIndex).toBeDefined();
});

test('[PLAY19] the loudness of a day of sound stays small, and a step is as loud as its loudest sample', () => {
  const meter = new LoudnessMeter(100);
  const second = Buffer.alloc(200);
  for (let count = 0; count < 24 * 3_600; count += 1) {
    second.writeInt16LE(count === 50_000 ? -32_768 : 100, 100);
    // Cut anywhere, also within a sample.
    meter.push(second.subarray(0, 77));
    meter.push(second.subarray(77));
  }
  const { stepMs, peaks } = meter.waveform();
  expect(meter.durationMs).toBe(24 * 3_600_000);
  expect(peaks.length).toBeLessThanOrEqual(12_000);
  expect(peaks.length * stepMs).toBeGreaterThanOrEqual(24 * 3_600_000);
  expect(peaks[Math.floor(50_000_500 / stepMs)]).toBe(100);
  expect(peaks.filter((peak) => peak > 1)).toHaveLength(1);
});
