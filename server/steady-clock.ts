import type { Clock } from './host/ports.ts';

/**
 * The time of day when the process started, and from there on the time that has passed: a step of the machine's
 * clock neither freezes a deadline nor lets one pass early. Slow corrections (NTP slewing) are followed.
 */
export function steadyClock(): Clock {
  const startedAt = Date.now() - performance.now();
  return () => Math.round(startedAt + performance.now());
}
