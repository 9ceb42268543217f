import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Cause } from './causes.ts';
import { type CycleResult, runCycle } from './cycle.ts';
import { networksMissing } from './own-network.ts';
import { type ResumeStage, setResumeStage } from './resume-stage.ts';
import { seeded } from './seeded.ts';

/**
 * What `npm run measure:resume` asserts is 3 s for 95 of 100 returns. Here one return decides, and the machine may run
 * other tests meanwhile.
 */
const WIDE_BAR_MS = 15_000;

async function runAll(stage: ResumeStage, causes: readonly Cause[]): Promise<CycleResult[]> {
  const seed = Number(process.env['TELECONSULT_TEST_SEED'] ?? randomInt(2 ** 31));
  console.log(`seed ${seed} (TELECONSULT_TEST_SEED repeats it)`);
  const random = seeded(seed);
  const wish = () => ({ microphone: random() < 0.75, camera: random() < 0.75 });
  const results: CycleResult[] = [];
  for (const cause of causes) {
    const victim = random() < 0.5 ? stage.patient : stage.doctor;
    const result = await runCycle(stage, { cause, victim, wishes: { patient: wish(), doctor: wish() } });
    console.log(JSON.stringify(result));
    results.push(result);
  }
  return results;
}

function expectAllKept(results: readonly CycleResult[]): void {
  expect(results.filter(({ violations }) => violations.length > 0)).toEqual([]);
  for (const { cause, times } of results)
    for (const ms of [...Object.values(times.own), ...Object.values(times.other)])
      expect(ms ?? 0, cause).toBeLessThan(WIDE_BAR_MS);
}

test('[RSM1] a call outlives reload, crash of the tab, death of the browser, the server and the media workers', async () => {
  await using stage = await setResumeStage({ ownNetworks: false });
  const results = await runAll(stage, [
    { kind: 'reload' },
    { kind: 'tab' },
    { kind: 'browser' },
    { kind: 'server' },
    { kind: 'worker' },
  ]);
  expectAllKept(results);
}, 240_000);

test.skipIf(networksMissing !== null)(
  `[RSM3] a call outlives cuts of the network, of the signalling alone and of the media alone${networksMissing === null ? '' : ` (skipped: ${networksMissing})`}`,
  async () => {
    await using stage = await setResumeStage({ ownNetworks: true });
    const results = await runAll(stage, [
      { kind: 'network', ms: 500 },
      { kind: 'network', ms: 5_000 },
      { kind: 'media', ms: 8_000 },
      { kind: 'socket', ms: 25_000 },
      { kind: 'network', ms: 25_000 },
    ]);
    expectAllKept(results);
  },
  300_000,
);
