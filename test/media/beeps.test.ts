/** What is recorded is what was sent: counted, placed in time, and side by side with the other tracks. */
import { expect, test, vi } from 'vitest';
import { BEEP_INTERVAL_MS, beeps, heard, playsTo } from '../helpers/tones.ts';
import { bytesOf, endOf, openStage, passed } from './recording-stage.ts';

/** Sound and pictures are made and sent at their own speed, and a busy machine makes them slowly. */
vi.setConfig({ testTimeout: 90_000 });

/** How far a beep may be from where it belongs. */
const PLACE_MS = 60;

test('[RECD1] what is recorded has the beeps that were sent, at their distances, and their length', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  const made = await beeps(15);
  const sending = await doctor.send('microphone', made);
  const taken = await stage.record('doctor', 'microphone');
  await sending.done;
  await taken.segment.stop();
  expect(taken.ends.map(({ end }) => end)).toEqual(['stopped']);
  expect(taken.segment.contentType).toBe('audio/webm;codecs=opus');

  const { beeps: found, durationMs } = await heard(taken.file());
  const [beganAt = 0] = taken.began;
  const offset = beganAt - sending.startedAt;
  const expected = Array.from({ length: 30 }, (_, index) => index * BEEP_INTERVAL_MS - offset).filter(
    // One that had begun before the recording did is heard in part or not at all.
    (at) => at > 0,
  );
  const inPlace = expected.filter((at) => found.some((one) => Math.abs(one - at) < PLACE_MS));
  expect(inPlace.length / expected.length).toBeGreaterThanOrEqual(0.99);
  const steps = found.slice(2).map((at, index) => at - (found[index + 1] ?? 0));
  expect(Math.max(...steps.map((step) => Math.abs(step - BEEP_INTERVAL_MS)))).toBeLessThan(PLACE_MS);
  expect(Math.abs(durationMs - (15_000 - offset))).toBeLessThan(200);
});

test('[RECD27] a segment that is stopped has all that was sent before, and stops within a second', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  const sending = await doctor.send('microphone', await beeps(4));
  // Begun one after another, they are at different points of what they write in one piece.
  const all = [];
  for (let count = 0; count < 5; count += 1) {
    all.push(await stage.record('doctor', 'microphone'));
    await passed(37);
  }
  await sending.done;
  await passed(100);
  const stoppedAt = performance.now();
  await Promise.all(all.map(({ segment }) => segment.stop()));
  const took = performance.now() - stoppedAt;
  const missing: number[] = [];
  for (const taken of all) {
    const endsAt = (taken.began[0] ?? 0) - sending.startedAt + (await playsTo(taken.file())) + 20;
    missing.push(4_000 - endsAt);
  }
  console.log(`stopped in ${Math.round(took)} ms, at most ${Math.round(Math.max(...missing))} ms short`);
  expect(took).toBeLessThan(1_000);
  expect(Math.max(...missing)).toBeLessThan(40);
});

test('[RECD2] bytes come at the latest half a second after their sound', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  const sending = await doctor.send('microphone', await beeps(6));
  const taken = await stage.record('doctor', 'microphone');
  await sending.done;
  const [beganAt = 0] = taken.began;
  // What the file plays to when each piece has come, against the time that has passed since its beginning.
  const lags: number[] = [];
  for (let index = 3; index < taken.pieces.length; index += 3) {
    const file = Buffer.concat(taken.pieces.slice(0, index).map(({ bytes }) => bytes));
    const nextAt = taken.pieces[index]?.at ?? 0;
    // Just before the next piece the file is as old as it gets.
    lags.push(nextAt - beganAt - ((await playsTo(file)) + 20));
  }
  expect(lags.length).toBeGreaterThan(5);
  console.log(`bytes after their sound: at most ${Math.round(Math.max(...lags))} ms`);
  expect(Math.max(...lags)).toBeLessThan(500);
});

test.concurrent('[RECD3] two tracks line up by the moments at which they began', async () => {
  await using stage = await openStage();
  const [doctor, patient] = [await stage.device('doctor'), await stage.device('patient')];
  const [low, high] = [await beeps(8, 600), await beeps(8, 1_400)];
  const first = await doctor.send('microphone', low);
  const one = await stage.record('doctor', 'microphone');
  // The second begins while the first runs, and is recorded from some moment within it.
  const second = await patient.send('microphone', high);
  const other = await stage.record('patient', 'microphone');
  await Promise.all([first.done, second.done]);
  await Promise.all([one.segment.stop(), other.segment.stop()]);
  const placed = async (taken: typeof one, startedAt: number) =>
    (await heard(taken.file())).beeps
      .slice(1)
      // Where it is in the call, against where it was sent: a multiple of the interval.
      .map((at) => (taken.began[0] ?? 0) + at - startedAt)
      .map((at) => at - Math.round(at / BEEP_INTERVAL_MS) * BEEP_INTERVAL_MS);
  const errors = [await placed(one, first.startedAt), await placed(other, second.startedAt)].flat();
  expect(errors.length).toBeGreaterThan(20);
  expect(Math.max(...errors.map(Math.abs))).toBeLessThan(PLACE_MS);
});

test.concurrent('[RECD4] a file that is cut at any point plays to within a second of the cut', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  const sending = await doctor.send('microphone', await beeps(8));
  const taken = await stage.record('doctor', 'microphone');
  await sending.done;
  const [beganAt = 0] = taken.began;
  const lost: number[] = [];
  // As often as a beep, at moments that have nothing to do with the pieces: what had come by then is what is left.
  for (let cutAt = beganAt + 700; cutAt < sending.startedAt + 8_000; cutAt += 430) {
    const file = Buffer.concat(taken.pieces.filter(({ at }) => at <= cutAt).map(({ bytes }) => bytes));
    lost.push(cutAt - beganAt - ((await playsTo(file)) + 20));
    // A few bytes more or less of the last piece do not spoil what is before it.
    expect((await playsTo(file.subarray(0, -7))) + 400).toBeGreaterThan(await playsTo(file));
  }
  const sorted = lost.toSorted((one, other) => one - other);
  console.log(
    `lost by a cut: median ${Math.round(sorted[sorted.length >> 1] ?? 0)} ms, at most ${Math.round(sorted.at(-1) ?? 0)} ms of ${sorted.length}`,
  );
  expect(Math.max(...lost)).toBeLessThan(1_000);
});

test('[RECD28] what was given out when ffmpeg or the worker is killed plays to within a second of the kill', async () => {
  const made = await beeps(5);
  for (const victim of ['ffmpeg', 'worker'] as const) {
    await using stage = await openStage();
    const doctor = await stage.device('doctor');
    await doctor.send('microphone', made);
    const taken = await stage.record('doctor', 'microphone');
    await bytesOf(taken, 5_000);
    const [pid = 0] = victim === 'ffmpeg' ? [taken.segment.pid] : stage.sfu.workerPids;
    process.kill(pid, 'SIGKILL');
    const killedAt = Date.now();
    const { end, at } = await endOf(taken, 3_000);
    expect(end).toBe(victim === 'ffmpeg' ? 'recorder_died' : 'room_closed');
    const lost = killedAt - (taken.began[0] ?? 0) - ((await playsTo(taken.file())) + 20);
    console.log(`${victim} killed: noticed after ${at - killedAt} ms, ${Math.round(lost)} ms lost`);
    expect(lost).toBeLessThan(1_000);
    expect((await heard(taken.file())).beeps.length).toBeGreaterThan(2);
  }
});

test.concurrent('[RECD5] a track that is muted for a while keeps its time', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  const sending = await doctor.send('microphone', await beeps(9));
  const taken = await stage.record('doctor', 'microphone');
  await bytesOf(taken, 2_000);
  await doctor.seat.setSourcePaused('microphone', true);
  const mutedAt = Date.now();
  await passed(3_000);
  const before = taken.pieces.length;
  await doctor.seat.setSourcePaused('microphone', false);
  const goneOnAt = Date.now();
  await sending.done;
  await taken.segment.stop();
  expect(taken.ends.map(({ end }) => end)).toEqual(['stopped']);
  const [beganAt = 0] = taken.began;
  const offset = beganAt - sending.startedAt;
  const { beeps: found, durationMs } = await heard(taken.file());
  // Nothing was taken while it was muted, beyond what was on its way.
  const during = taken.pieces.slice(0, before).filter(({ at }) => at > mutedAt + 400);
  expect(during).toEqual([]);
  expect(found.filter((at) => at > mutedAt - beganAt + 100 && at < goneOnAt - beganAt - 100)).toEqual([]);
  const after = found.filter((at) => at > goneOnAt - beganAt + 100);
  expect(after.length).toBeGreaterThan(4);
  for (const at of after) {
    const place = at + offset;
    expect(Math.abs(place - Math.round(place / BEEP_INTERVAL_MS) * BEEP_INTERVAL_MS)).toBeLessThan(PLACE_MS);
  }
  expect(Math.abs(durationMs - (9_000 - offset))).toBeLessThan(200);
});

test.concurrent('[RECD25] a sender whose clock stood still ends the segment, so that what follows is not placed too early', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  const sending = await doctor.send('microphone', await beeps(12));
  const taken = await stage.record('doctor', 'microphone');
  await bytesOf(taken, 1_500);
  await doctor.seat.setSourcePaused('microphone', true);
  sending.clockStands = true;
  await passed(1_500);
  sending.clockStands = false;
  await doctor.seat.setSourcePaused('microphone', false);
  expect((await endOf(taken, 3_000)).end).toBe('clock_jumped');
  // The next one is right again.
  const next = await stage.record('doctor', 'microphone');
  await bytesOf(next, 6_000);
  await next.segment.stop();
  const places = (await heard(next.file())).beeps
    .slice(1)
    .map((at) => (next.began[0] ?? 0) + at - sending.startedAt - 1_500);
  for (const place of places) {
    expect(Math.abs(place - Math.round(place / BEEP_INTERVAL_MS) * BEEP_INTERVAL_MS)).toBeLessThan(100);
  }
  expect(places.length).toBeGreaterThan(1);
});

test.concurrent('[RECD6] a track of which nothing comes for long is well: no bytes, no stall, and the right time afterwards', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  const sending = await doctor.send('microphone', await beeps(40));
  const heardBefore = await stage.record('doctor', 'microphone');
  await bytesOf(heardBefore, 1_500);
  await doctor.seat.setSourcePaused('microphone', true);
  const mutedFromTheStart = await stage.record('doctor', 'microphone');
  const both = [heardBefore, mutedFromTheStart];
  // ffmpeg's own patience is twice ten seconds.
  await passed(24_000);
  expect(mutedFromTheStart.pieces).toEqual([]);
  expect(mutedFromTheStart.began).toEqual([]);
  expect(both.flatMap(({ ends }) => ends)).toEqual([]);
  await doctor.seat.setSourcePaused('microphone', false);
  const goneOnAt = Date.now();
  await passed(2_500);
  await Promise.all(both.map(({ segment }) => segment.stop()));
  expect(both.map(({ ends }) => ends[0]?.end)).toEqual(['stopped', 'stopped']);
  expect(Math.abs((mutedFromTheStart.began[0] ?? 0) - goneOnAt)).toBeLessThan(200);
  for (const taken of both) {
    const began = taken.began[0] ?? 0;
    const after = (await heard(taken.file())).beeps
      .map((at) => began + at)
      .filter((at) => at > goneOnAt + 100);
    expect(after.length).toBeGreaterThan(2);
    for (const at of after) {
      const place = at - sending.startedAt;
      expect(Math.abs(place - Math.round(place / BEEP_INTERVAL_MS) * BEEP_INTERVAL_MS)).toBeLessThan(
        PLACE_MS,
      );
    }
  }
});

test.concurrent('[RECD7] packets that are lost or come late cost what is in them and no more', async () => {
  await using stage = await openStage();
  const doctor = await stage.device('doctor');
  const sending = await doctor.send('microphone', await beeps(10), {
    // 4 % lost, 4 % overtaken by two others.
    loses: (index) => index % 25 === 7,
    delays: (index) => index % 25 === 16,
  });
  const taken = await stage.record('doctor', 'microphone');
  await sending.done;
  await taken.segment.stop();
  const offset = (taken.began[0] ?? 0) - sending.startedAt;
  const { beeps: found, durationMs } = await heard(taken.file());
  const expected = Array.from({ length: 20 }, (_, index) => index * BEEP_INTERVAL_MS - offset).filter(
    (at) => at > 0,
  );
  const inPlace = expected.filter((at) => found.some((one) => Math.abs(one - at) < PLACE_MS));
  expect(inPlace.length).toBe(expected.length);
  expect(Math.abs(durationMs - (10_000 - offset))).toBeLessThan(400);
});
