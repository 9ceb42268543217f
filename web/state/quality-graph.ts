import type { QualitySample } from '@teleconsult/client-sdk/api';

/** What a graph shows: the last two minutes, drawn into a box of these units. */
export const GRAPH = { width: 240, height: 56, spanMs: 120_000 } as const;

/** Samples come every two seconds; a gap of more than this is a gap in the line. */
const GAP_MS = 7_000;

export interface Graph {
  /** For the `d` of a path; empty when nothing was measured. */
  readonly line: string;
  readonly latest: number | null;
  readonly most: number | null;
}

export type Pick = (sample: QualitySample) => number | null;

/** The line of one value. `ceiling` is the least height of the scale, so that noise does not look like trouble. */
export function graphOf(
  samples: readonly QualitySample[],
  { pick, ceiling, now }: { readonly pick: Pick; readonly ceiling: number; readonly now: number },
): Graph {
  const shown = samples.flatMap((sample) => {
    const value = pick(sample);
    return value === null || now - sample.at > GRAPH.spanMs ? [] : [{ at: sample.at, value }];
  });
  const last = samples.at(-1);
  const latest = last === undefined ? null : pick(last);
  if (shown.length === 0) return { line: '', latest, most: null };
  const most = Math.max(...shown.map(({ value }) => value));
  const top = Math.max(ceiling, most);
  let before: number | null = null;
  const line = shown.map(({ at, value }) => {
    const x = GRAPH.width * (1 - (now - at) / GRAPH.spanMs);
    const y = GRAPH.height * (1 - value / top);
    const command = before === null || at - before > GAP_MS ? 'M' : 'L';
    before = at;
    return `${command}${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return { line: line.join(''), latest, most };
}

const ROW_MS = 10_000;

/** One sample for each ten seconds, newest first: what a table can hold. */
export function tableOf(samples: readonly QualitySample[], now: number): readonly QualitySample[] {
  const rows = new Map<number, QualitySample>();
  for (const sample of samples) {
    const age = now - sample.at;
    if (age <= GRAPH.spanMs) rows.set(Math.floor(age / ROW_MS), sample);
  }
  return [...rows.entries()].sort(([a], [b]) => a - b).map(([, sample]) => sample);
}
