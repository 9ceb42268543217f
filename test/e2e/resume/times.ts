import type { CycleResult, SideTimes } from './cycle.ts';

export interface Summary {
  readonly n: number;
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

/** Until picture and sound, whatever of them was to come, are both there; null where nothing was. */
export function untilBoth({ frameMs, soundMs }: SideTimes): number | null {
  if (frameMs === null) return soundMs;
  return soundMs === null ? frameMs : Math.max(frameMs, soundMs);
}

/** Of at least one value. The share of 95 % is the smallest value that so many do not exceed (nearest rank). */
export function summaryOf(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { n: sorted.length, min: at(0), median: at(0.5), p95: at(0.95), max: at(1) };
}

/** All times of one side, over these cycles. */
export function timesOfSide(
  results: readonly CycleResult[],
  side: keyof CycleResult['times'],
  of: (times: SideTimes) => number | null = untilBoth,
): number[] {
  return results.flatMap(({ times }) => of(times[side]) ?? []);
}
