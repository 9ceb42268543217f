import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { beeps } from '../helpers/tones.ts';
import { plaintextMediaIn } from './plaintext-media.ts';
import { encoded } from './recorded-sound.ts';
import { killRound, type Loss, lossOf, NEW_SEGMENT_MS } from './recording-kills.ts';
import { RecordingServer, startRecordedCall } from './recording-server.ts';

/** Together 17 recording processes, a worker and 2 servers are killed, under two or six tracks each. */
const ROUNDS = [
  { calls: 3, recorders: 5, workers: 1, runMs: [600, 1_200] },
  { calls: 1, recorders: 2, workers: 0, runMs: [600, 2_000] },
] as const;

const shown = (losses: readonly Loss[]): string =>
  losses
    .map(({ victim, lostMs, ranMs }) => `${victim} ${Math.round(lostMs)}/${Math.round(ranMs)}`)
    .join(', ');

test('[M1] [M3] [M6] [M7] [RECS40] of 20 kills of server, recorder and worker each loses at most a second, and no media lies in the clear', async () => {
  await using temp = await tempDir();
  const sound = await beeps(45);
  const losses: Loss[] = [];
  let kills = 0;
  for (const round of ROUNDS) {
    await using data = await tempDir();
    const outcome = await killRound({ dataDir: data.path, tempDir: temp.path, sound }, round);
    losses.push(...outcome.losses);
    kills += outcome.kills;
    expect(outcome.leftovers).toEqual([]);
    expect(outcome.slowestSegmentMs).toBeLessThan(NEW_SEGMENT_MS);
    expect(await plaintextMediaIn([data.path, temp.path])).toEqual([]);
  }
  expect(
    losses.filter(({ complaints }) => complaints.length > 0),
    shown(losses),
  ).toEqual([]);
  expect(kills).toBe(20);
}, 240_000);

test('[D10] [RECS41] a server that is told to stop while it records seals what was said, and ends with 0 within 30 s', async () => {
  await using data = await tempDir();
  await using temp = await tempDir();
  const places = { dataDir: data.path, tempDir: temp.path, sound: await beeps(20) };
  await using server = await RecordingServer.start(places);
  await using call = await startRecordedCall(server);
  await eventually('both tracks to run', async () => {
    const files = await call.files();
    return (
      files.length === 2 && files.every(({ startedAt }) => Date.now() - (startedAt ?? Date.now()) > 1_000)
    );
  });
  const stoppedAt = Date.now();
  expect(await server.stop()).toBe(0);
  expect(Date.now() - stoppedAt).toBeLessThan(30_000);
  expect((await readdir(join(data.path, 'recordings'))).filter((name) => name.endsWith('.journal'))).toEqual(
    [],
  );
  expect(await plaintextMediaIn([data.path, temp.path])).toEqual([]);
  await using after = await RecordingServer.start(places);
  const files = await after.files(call.visit.id, call.recordingId, true);
  expect(files.map(({ reason }) => reason)).toEqual(['server_stopped', 'server_stopped']);
  for (const file of files) expect((await lossOf(file, 'server', stoppedAt)).complaints).toEqual([]);
}, 90_000);

test('[M1 sabotage] a file that loses more than a second, does not play, or is not marked is noticed', async () => {
  const whole = await encoded(4);
  const file = {
    fileId: 'f',
    personId: 'p',
    state: 'truncated',
    reason: 'server_stopped',
    startedAt: 1_000,
  } as const;
  const judge = async (bytes: Buffer, killedAt: number, state: 'truncated' | 'growing' = 'truncated') =>
    (await lossOf({ ...file, state, bytes }, 'server', killedAt)).complaints;
  expect(await judge(whole, 5_000)).toEqual([]);
  expect(await judge(whole, 6_500)).not.toEqual([]);
  expect(await judge(whole.subarray(0, whole.byteLength / 2), 5_000)).not.toEqual([]);
  expect(await judge(Buffer.alloc(0), 5_000)).toContain('it does not play');
  expect(await judge(whole, 5_000, 'growing')).toContain('it is growing');
  // As short as the files of the kills above are, and for its half silent.
  expect(await judge(await encoded(2), 3_000)).toEqual([]);
  expect(await judge(await encoded(2, 0.6), 3_000)).not.toEqual([]);
});

test('[M3 sabotage] media in the clear on a disk is noticed', async () => {
  await using dir = await tempDir();
  await writeFile(join(dir.path, 'harmless'), 'sealed');
  expect(await plaintextMediaIn([dir.path])).toEqual([]);
  await writeFile(join(dir.path, 'spilled.part'), await encoded(1));
  expect(await plaintextMediaIn([dir.path])).not.toEqual([]);
  await writeFile(join(dir.path, 'spilled.part'), 'behind a canary of the sender');
  expect(await plaintextMediaIn([dir.path], [Buffer.from('a canary of')])).not.toEqual([]);
});
