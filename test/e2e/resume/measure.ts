/** Breaks a call again and again and writes down how long it takes to be back: see scripts/measure-resume.mjs. */
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import type { Caller } from './caller.ts';
import { type Cause, NEEDS_NETWORKS, nameOf } from './causes.ts';
import { type CycleResult, runCycle } from './cycle.ts';
import { pictureOf, reportOf } from './measured-report.ts';
import { networksMissing } from './own-network.ts';
import { type ResumeStage, setResumeStage } from './resume-stage.ts';
import { seeded } from './seeded.ts';
import { summaryOf, timesOfSide } from './times.ts';

const BAR_MS = 3_000;
const DOCS = new URL('../../../docs/', import.meta.url);
const CAUSES: readonly { readonly cause: Cause; readonly meaning: string }[] = [
  { cause: { kind: 'reload' }, meaning: 'the page is loaded anew, from the start of its navigation' },
  { cause: { kind: 'tab' }, meaning: 'its process crashes, from the start of the navigation of a new tab' },
  { cause: { kind: 'browser' }, meaning: 'SIGKILL, from the start of the new process with the same profile' },
  { cause: { kind: 'network', ms: 500 }, meaning: 'the cable is out so long, from when it is in again' },
  { cause: { kind: 'network', ms: 5_000 }, meaning: 'as before' },
  { cause: { kind: 'network', ms: 25_000 }, meaning: 'as before' },
  { cause: { kind: 'server' }, meaning: 'SIGKILL, from when the next one listens' },
  { cause: { kind: 'worker' }, meaning: 'SIGKILL to all media workers, from the kill' },
  {
    cause: { kind: 'socket', ms: 25_000 },
    meaning: 'signalling alone vanishes so long, while media has to go on; from when it passes again',
  },
  { cause: { kind: 'media', ms: 8_000 }, meaning: 'media alone vanishes so long, from when it passes again' },
];

const cycles = Number(process.env['TELECONSULT_MEASURE_CYCLES'] ?? 50);
const seed = Number(process.env['TELECONSULT_TEST_SEED'] ?? randomInt(2 ** 31));
const random = seeded(seed);
const wish = () => ({ microphone: random() < 0.85, camera: random() < 0.85 });
const startedAt = performance.now();

function shuffled<T>(items: readonly T[]): T[] {
  const order = items.map((item) => ({ item, rank: random() }));
  return order.sort((a, b) => a.rank - b.rank).map(({ item }) => item);
}

/** A cycle that cannot be run to its end kept nothing. */
async function outcome(stage: ResumeStage, cause: Cause, victim: Caller): Promise<CycleResult> {
  try {
    return await runCycle(stage, { cause, victim, wishes: { patient: wish(), doctor: wish() } });
  } catch (error) {
    const nothing = { frameMs: null, soundMs: null };
    const what = error instanceof Error ? error.message : String(error);
    const times = { own: nothing, other: nothing };
    return {
      cause: nameOf(cause),
      victim: victim.personId,
      times,
      gaveUpVideo: false,
      violations: [what.slice(0, 400)],
    };
  }
}

if (networksMissing !== null) console.log(`Without cuts of networks: ${networksMissing}`);
const able = CAUSES.filter(({ cause }) => networksMissing === null || !NEEDS_NETWORKS.includes(cause.kind));
const plan = shuffled(Array.from({ length: cycles }, (_, index) => able[index % able.length]?.cause)).filter(
  (cause) => cause !== undefined,
);
const setStage = () => setResumeStage({ ownNetworks: networksMissing === null });
const results: CycleResult[] = [];
console.log(`seed ${seed}, ${plan.length} cycles`);
let stage = await setStage();
try {
  for (const cause of plan) {
    const result = await outcome(stage, cause, random() < 0.5 ? stage.patient : stage.doctor);
    results.push(result);
    const at = ((performance.now() - startedAt) / 1000).toFixed(0).padStart(5);
    console.log(`${at} s  ${JSON.stringify(result)}`);
    if (result.violations.length === 0) continue;
    // What is broken now says nothing of the next cause.
    await stage[Symbol.asyncDispose]();
    stage = await setStage();
  }
} finally {
  await stage[Symbol.asyncDispose]();
}

const measurement = {
  results,
  causes: able.map(({ cause, meaning }) => ({ name: nameOf(cause), meaning })),
  seed,
  date: new Date().toISOString().slice(0, 10),
  machine: `${cpus().length} processor cores and ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release().split('.').slice(0, 2).join('.')}; the server, its media workers and both browsers share it, and the browsers code video in software. Load average of the last fifteen minutes: ${(loadavg()[2] ?? 0).toFixed(1)}`,
  command: 'npm run measure:resume',
  barMs: BAR_MS,
};
writeFileSync(new URL('RESUME-MEASURED.md', DOCS), reportOf(measurement));
writeFileSync(new URL('resume-measured.svg', DOCS), pictureOf(measurement));

const both = [...timesOfSide(results, 'own'), ...timesOfSide(results, 'other')];
const { n, median, p95, max } = summaryOf(both);
const failed = results.filter(({ violations }) => violations.length > 0);
console.log(
  `${results.length - failed.length} of ${results.length} cycles kept everything; ${n} times: median ${Math.round(median)} ms, p95 ${Math.round(p95)} ms, max ${Math.round(max)} ms`,
);
if (failed.length > 0 || p95 > BAR_MS) process.exitCode = 1;
