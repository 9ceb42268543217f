import { expect, test } from 'vitest';
import type { CycleResult } from './cycle.ts';
import { pictureOf, reportOf } from './measured-report.ts';
import { summaryOf, timesOfSide, untilBoth } from './times.ts';

const result = (cause: string, own: number, violations: readonly string[] = []): CycleResult => ({
  cause,
  victim: 'patient',
  times: { own: { frameMs: own, soundMs: own / 2 }, other: { frameMs: null, soundMs: null } },
  violations,
  gaveUpVideo: false,
});

test('[RSM4] a summary takes the slowest of 95 %, and a side is back when picture and sound are', () => {
  const values = Array.from({ length: 20 }, (_, index) => index + 1);
  expect(summaryOf(values)).toEqual({ n: 20, min: 1, median: 10, p95: 19, max: 20 });
  expect(summaryOf([7])).toEqual({ n: 1, min: 7, median: 7, p95: 7, max: 7 });
  expect(untilBoth({ frameMs: 3, soundMs: 5 })).toBe(5);
  expect(untilBoth({ frameMs: null, soundMs: 5 })).toBe(5);
  expect(timesOfSide([result('reload', 400)], 'other')).toEqual([]);
});

test('[RSM4] the report counts a cycle that broke a promise, and names it', () => {
  const measurement = {
    results: [result('reload', 400), result('server', 1_500, ['patient: one person had 2 seats'])],
    causes: [
      { name: 'reload', meaning: 'anew' },
      { name: 'server', meaning: 'killed' },
    ],
    seed: 1,
    date: '2026-01-01',
    machine: 'a machine',
    command: 'a command',
    barMs: 3_000,
  };
  const report = reportOf(measurement);
  expect(report).toContain('1 of 2 cycles');
  expect(report).toContain('server: patient: one person had 2 seats');
  expect(report).toContain('| reload | whom it happened to | 1 | 400 | 400 | 400 | 400 |');
  expect(pictureOf(measurement)).toContain('>reload</text>');
});
