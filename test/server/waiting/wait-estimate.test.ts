import { estimateMs, expectation } from '@teleconsult/server/waiting/wait-estimate';
import { expect, test } from 'vitest';

const MINUTE = 60_000;
const visits = (...minutes: number[]) => minutes.map((each) => each * MINUTE);
const wait = (position: number, durations: number[], runningFor: number | null) =>
  estimateMs(
    expectation(
      { durations, activeSince: runningFor === null ? null : 1_000 * MINUTE - runningFor },
      1_000 * MINUTE,
    ),
    position,
  );

test.each([
  ['nobody ahead and no visit running', 1, visits(10, 10, 10), null, 0],
  ['two ahead', 3, visits(10, 10, 10), null, 20 * MINUTE],
  ['a visit that has just begun', 1, visits(10, 10, 10), 0, 10 * MINUTE],
  ['a visit that runs for four minutes', 2, visits(10, 10, 10), 4 * MINUTE, 16 * MINUTE],
  ['a visit that runs longer than most', 2, visits(10, 10, 10), 60 * MINUTE, 10 * MINUTE],
  ['one very long visit, which moves no median', 2, visits(10, 600, 12), null, 12 * MINUTE],
  ['an even number of visits', 2, visits(10, 12, 14, 16), null, 13 * MINUTE],
])('[WAIT3] the wait with %s', (_what, position, durations, runningFor, expected) => {
  expect(wait(position, durations, runningFor)).toBe(expected);
});

test('[WAIT3] with fewer than three visits nothing is said', () => {
  expect(wait(1, visits(10, 10), null)).toBeNull();
  expect(wait(4, [], 0)).toBeNull();
});

test('[WAIT3] a clock that went back makes no wait longer than a visit', () => {
  expect(wait(1, visits(10, 10, 10), -60 * MINUTE)).toBe(10 * MINUTE);
});
