/**
 * `npm run measure:recording`: kills what takes part in recordings 200 times and writes what was lost into
 * docs/RECORDING.md. Takes about fifteen minutes; `--kills 20` takes less.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { beeps } from '../helpers/tones.ts';
import { plaintextMediaIn } from './plaintext-media.ts';
import { killRound, type Loss, type Victim } from './recording-kills.ts';

const PAGE = new URL('../../docs/RECORDING.md', import.meta.url);
const BEGIN = '<!-- measured: npm run measure:recording -->';
const END = '<!-- /measured -->';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '200' } } });
const wished = Number(values.kills);

const say = (line: string) => process.stdout.write(`${line}\n`);
const median = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;

const sound = await beeps(90);
const losses: Loss[] = [];
const complaints: string[] = [];
let kills = 0;
let slowestSegmentMs = 0;
const begun = performance.now();
while (kills < wished) {
  const folder = (name: string): Promise<string> => mkdtemp(join(tmpdir(), `teleconsult-measure-${name}-`));
  const [dataDir, tempDir] = await Promise.all([folder('data'), folder('temp')]);
  try {
    const round = await killRound(
      { dataDir, tempDir, sound },
      { calls: 3, recorders: 8, workers: 2, runMs: [300, 2_500] },
    );
    losses.push(...round.losses);
    kills += round.kills;
    slowestSegmentMs = Math.max(slowestSegmentMs, round.slowestSegmentMs);
    complaints.push(...round.leftovers, ...(await plaintextMediaIn([dataDir, tempDir])));
    for (const loss of round.losses)
      complaints.push(...loss.complaints.map((what) => `${loss.victim}: ${what}`));
    say(`${kills} kills, ${losses.length} tracks cut, ${complaints.length} complaints`);
  } finally {
    for (const dir of [dataDir, tempDir]) await rm(dir, { recursive: true, force: true });
  }
}

const row = (victim: Victim): string => {
  const lost = losses
    .filter((loss) => loss.victim === victim)
    .map(({ lostMs }) => lostMs)
    .sort((a, b) => a - b);
  const seconds = (ms: number): string => (ms / 1_000).toFixed(2);
  return `| ${victim} | ${lost.length} | ${seconds(median(lost))} | ${seconds(lost.at(-1) ?? Number.NaN)} |`;
};
const table = [
  `${kills} kills that cut ${losses.length} tracks, on ${cpus().length} processors, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}:`,
  '',
  '| killed | tracks cut | median lost (s) | most lost (s) |',
  '| --- | --- | --- | --- |',
  ...(['server', 'recorder', 'worker'] as const).map(row),
  '',
  `After the death of a recording process the next one had sound after ${(slowestSegmentMs / 1_000).toFixed(2)} s at most.`,
  complaints.length === 0
    ? 'Every file was marked, played, and had its beeps; no media lay in the clear; no process and no journal was left.'
    : `${complaints.length} complaints.`,
].join('\n');
say(table);
const page = await readFile(PAGE, 'utf8');
const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
if (from < 0 || to < from) throw new Error('docs/RECORDING.md has no place for what was measured');
await writeFile(PAGE, `${page.slice(0, from + BEGIN.length)}\n\n${table}\n\n${page.slice(to)}`);
say(`measured in ${Math.round((performance.now() - begun) / 1_000)} s`);
for (const complaint of complaints) say(complaint);
process.exitCode = complaints.length === 0 ? 0 : 1;
