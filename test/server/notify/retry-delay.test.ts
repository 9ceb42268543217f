import { retryAfterMs, retryDelay } from '@teleconsult/server/notify/retry-delay';
import { DEFAULT_PACE } from '@teleconsult/server/notify/telling';
import { expect, test } from 'vitest';

test('[HOOK4] attempts are a second apart, doubling to five minutes, and a random half of it', () => {
  const longest = [1, 2, 3, 4, 5].map((attempt) => retryDelay(DEFAULT_PACE, attempt, () => 1));
  expect(longest).toEqual([1_000, 2_000, 4_000, 8_000, 16_000]);
  expect(retryDelay(DEFAULT_PACE, 3, () => 0)).toBe(2_000);
  for (const attempt of [10, 100, 100_000]) expect(retryDelay(DEFAULT_PACE, attempt, () => 1)).toBe(300_000);
});

test('[HOOK4] a receiver may say when it wants to be asked again, in seconds or as a date', () => {
  const now = Date.parse('2026-11-22T08:00:00Z');
  expect(retryAfterMs('120', now)).toBe(120_000);
  expect(retryAfterMs('Sun, 22 Nov 2026 08:01:00 GMT', now)).toBe(60_000);
  expect(retryAfterMs('Sun, 22 Nov 2026 07:00:00 GMT', now)).toBe(0);
  expect(retryAfterMs('999999999', now)).toBe(3_600_000);
  for (const nothing of [null, '', 'soon', '-']) expect(retryAfterMs(nothing, now)).toBeNull();
});
