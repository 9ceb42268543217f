import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempDir } from '../helpers/temp-dir.ts';
import { beeps } from '../helpers/tones.ts';
import { plaintextMediaIn } from './plaintext-media.ts';
import { killRound, type Loss, lossOf, NEW_SEGMENT_MS } from './recording-kills.ts';

/** Three rounds: 13 recorders, 1 worker and 3 servers are killed, under two to four tracks each. */
const ROUNDS = [
  { calls: 2, recorders: 6, workers: 1, runMs: [700, 1_500] },
  { calls: 2, recorders: 7, workers: 0, runMs: [700, 1_500] },
  { calls: 1, recorders: 3, workers: 0, runMs: [700, 2_500] },
] as const;

const shown = (losses: readonly Loss[]): string =>
  losses
    .map(({ victim, lostMs, ranMs }) => `${victim} ${Math.round(lostMs)}/${Math.round(ranMs)}`)
    .join(', ');

test('[M1] [M3] [M6] [M7] [RECS40] of 20 kills of server, recorder and worker each loses at most a second, and no media lies in the clear', async () => {
  await using temp = await tempDir();
  const sound = await beeps(25);
  const losses: Loss[] = [];
  for (const round of ROUNDS) {
    await using data = await tempDir();
    const outcome = await killRound({ dataDir: data.path, tempDir: temp.path, sound }, round);
    losses.push(...outcome.losses);
    expect(outcome.leftovers).toEqual([]);
    expect(outcome.slowestSegmentMs).toBeLessThan(NEW_SEGMENT_MS);
    expect(await plaintextMediaIn([data.path, temp.path])).toEqual([]);
  }
  expect(
    losses.filter(({ complaints }) => complaints.length > 0),
    shown(losses),
  ).toEqual([]);
  expect(losses.length).toBeGreaterThanOrEqual(20);
  process.stdout.write(`lost in ms/ran: ${shown(losses)}\n`);
}, 120_000);

test('[M1 sabotage] a file that loses more than a second, does not play, or is not marked is noticed', async () => {
  const { encoded } = await import('./recorded-sound.ts');
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
});

test('[M3 sabotage] media in the clear on a disk is noticed', async () => {
  await using dir = await tempDir();
  const { encoded } = await import('./recorded-sound.ts');
  await writeFile(join(dir.path, 'harmless'), 'sealed');
  expect(await plaintextMediaIn([dir.path])).toEqual([]);
  await writeFile(join(dir.path, 'spilled.part'), await encoded(1));
  expect(await plaintextMediaIn([dir.path])).not.toEqual([]);
  await writeFile(join(dir.path, 'spilled.part'), 'behind a canary of the sender');
  expect(await plaintextMediaIn([dir.path], [Buffer.from('a canary of')])).not.toEqual([]);
});
