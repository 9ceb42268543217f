import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultReconnectDelay, delayOf, fullJitter } from '../../client-sdk/backoff.ts';

describe('the waiting time between attempts', () => {
  it('[SDK5] the first is at most 300 ms, and no later one exceeds 5 s', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (attempt) => {
        const delayMs = defaultReconnectDelay(attempt);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(attempt === 1 ? 300 : 5_000);
      }),
    );
  });

  it('[SDK5] the bound doubles from attempt to attempt up to the cap, and jitter fills all of it', () => {
    const policy = (random: number) =>
      fullJitter({ firstMs: 300, baseMs: 500, capMs: 5_000, random: () => random });
    expect([1, 2, 3, 4, 5, 6, 7].map(policy(1))).toEqual([300, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
    expect([1, 2, 3].map(policy(0))).toEqual([0, 0, 0]);
  });

  it('[SDK5] a policy of the app that answers nonsense makes neither a storm nor an endless wait', () => {
    expect(delayOf(() => Number.NaN, 1)).toBe(60_000);
    expect(delayOf(() => Infinity, 1)).toBe(60_000);
    expect(delayOf(() => -5, 1)).toBe(0);
    expect(delayOf(() => 10 ** 9, 1)).toBe(60_000);
  });
});
