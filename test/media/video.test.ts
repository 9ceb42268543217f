/** Pictures: from a key frame on, through losses and changes of size, in the codec of the call. */
import { expect, test, vi } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { pictures, seen } from '../helpers/tones.ts';
import { bytesOf, openStage } from './recording-stage.ts';

/** Sound and pictures are made and sent at their own speed, and a busy machine makes them slowly. */
vi.setConfig({ testTimeout: 90_000 });

const FRAME_MS = 1_000 / 15;

for (const [codec, contentType] of [
  ['vp8', 'video/webm;codecs=vp8'],
  ['h264', 'video/x-matroska;codecs=avc1'],
] as const) {
  test(`[RECD20] ${codec}: every picture from the first key frame on is there, in its place`, async () => {
    await using stage = await openStage();
    const doctor = await stage.device('doctor');
    const sending = await doctor.send('camera', await pictures(codec, { seconds: 7 }));
    const taken = await stage.record('doctor', 'camera');
    expect(taken.segment.contentType).toBe(contentType);
    await sending.done;
    await taken.segment.stop();
    const { pictures: shown } = await seen(taken.file());
    const offset = (taken.began[0] ?? 0) - sending.startedAt;
    expect(offset).toBeGreaterThan(500);
    const expected = (7_000 - offset) / FRAME_MS;
    expect(shown.length).toBeGreaterThan(expected - 3);
    expect(Math.abs(shown[0]?.at ?? 9_999)).toBeLessThan(5);
    for (const [index, picture] of shown.entries()) {
      expect(Math.abs(picture.at - index * FRAME_MS)).toBeLessThan(20);
    }
    // Bytes come while it runs, half a second after their picture at most.
    const began = taken.began[0] ?? 0;
    expect((taken.pieces.at(2)?.at ?? Number.POSITIVE_INFINITY) - began).toBeLessThan(1_000);
  });
}

test('[RECD21] a key frame is asked for until the first picture comes, and again after none can be shown', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  const sending = await doctor.send('camera', await pictures('vp8', { seconds: 12 }));
  // The worker knows the track by its packets, and then they stop: nobody answers.
  const earlier = await stage.record('doctor', 'camera');
  await bytesOf(earlier);
  await earlier.segment.stop();
  sending.silent = true;
  const before = doctor.keyFramesAsked;
  const taken = await stage.record('doctor', 'camera');
  await eventually('it asks again', () => doctor.keyFramesAsked >= before + 2);
  expect(taken.pieces).toEqual([]);
  sending.silent = false;
  await bytesOf(taken, 5_000);
  await taken.segment.stop();
  expect((await seen(taken.file())).pictures.length).toBeGreaterThan(3);
  expect(taken.ends.map(({ end }) => end)).toEqual(['stopped']);
});

test('[RECD22] a change of size in the middle does not break the file', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  const sizes = await Promise.all(
    ['160x120', '320x240'].map((size) => pictures('vp8', { seconds: 9, size })),
  );
  const [, large] = await doctor.sendSizes(sizes);
  const taken = await stage.record('doctor', 'camera');
  await bytesOf(taken, 20_000);
  if (large === undefined) throw new Error('no large size');
  large.silent = true;
  const silentAt = Date.now();
  await eventually('pictures come again', () => (taken.pieces.at(-1)?.at ?? 0) > silentAt + 1_000, {
    withinMs: 8_000,
  });
  const before = taken.file().byteLength;
  await bytesOf(taken, before + 10_000);
  await taken.segment.stop();
  expect(taken.ends.map(({ end }) => end)).toEqual(['stopped']);
  const { pictures: shown } = await seen(taken.file());
  expect(new Set(shown.map(({ width }) => width))).toEqual(new Set([320, 160]));
  // The gap between the two sizes is as long as it was.
  const lastMs = shown.at(-1)?.at ?? 0;
  const lasted = (taken.pieces.at(-1)?.at ?? 0) - (taken.began[0] ?? 0);
  expect(Math.abs(lasted - lastMs)).toBeLessThan(500);
});

test('[RECD7] pictures that lost packets are made good by the next key frame', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  const sending = await doctor.send('camera', await pictures('vp8', { seconds: 10 }), {
    loses: (index) => index % 40 === 33,
    delays: (index) => index % 40 === 13,
  });
  const taken = await stage.record('doctor', 'camera');
  await sending.done;
  await taken.segment.stop();
  expect(taken.ends.map(({ end }) => end)).toEqual(['stopped']);
  const { pictures: shown } = await seen(taken.file());
  const offset = (taken.began[0] ?? 0) - sending.startedAt;
  expect(shown.length).toBeGreaterThan(((10_000 - offset) / FRAME_MS) * 0.5);
  expect(Math.abs((shown.at(-1)?.at ?? 0) - (10_000 - offset))).toBeLessThan(1_200);
});
