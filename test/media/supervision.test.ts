import { expect, test } from 'vitest';
import { type Look, Supervision, type Verdict } from '../../media/recorder/supervision.ts';

/** Looks every 400 ms, each answering what was seen from the one before. */
function looks(kind: 'audio' | 'video', count: number, each: (index: number) => Partial<Look>): Verdict[] {
  const supervision = new Supervision(kind, 0);
  return Array.from({ length: count }, (_, index) =>
    supervision.look({ at: (index + 1) * 400, packets: null, bytes: 0, processorMs: null, ...each(index) }),
  );
}

test('[RECD11] packets that go in for two seconds without a byte are a stall; one byte and it begins anew', () => {
  const verdicts = looks('audio', 12, (index) => ({ packets: index + 1, bytes: index < 4 ? index : 4 }));
  expect(verdicts.indexOf('stalled')).toBe(9);
  const saved = looks('audio', 20, (index) => ({ packets: index + 1, bytes: Math.floor(index / 4) }));
  expect(new Set(saved)).toEqual(new Set(['well']));
});

test('[RECD6] without packets nothing is a stall, however long it takes', () => {
  expect(new Set(looks('audio', 500, () => ({ packets: 7, bytes: 0 })))).toEqual(new Set(['well']));
  // Silence that is sent as a packet every 800 ms counts only while packets come.
  const sparse = looks('audio', 9, (index) => ({ packets: Math.floor(index / 2) }));
  expect(sparse).not.toContain('stalled');
});

test('[RECD21] a picture is asked for each second until there is one, and then only when none comes out', () => {
  const waiting = looks('video', 10, () => ({}));
  expect(waiting.filter((verdict) => verdict === 'needs_key_frame')).toHaveLength(3);
  const flowing = looks('video', 50, (index) => ({ packets: index, bytes: index + 1 }));
  expect(new Set(flowing)).toEqual(new Set(['well']));
  const broken = looks('video', 8, (index) => ({ packets: index + 1, bytes: Math.min(index, 3) }));
  expect(broken.slice(4)).toContain('needs_key_frame');
  expect(new Set(looks('audio', 10, () => ({})))).toEqual(new Set(['well']));
});

test('[RECD23] a process that turns in circles is ended after a while; a short effort is none', () => {
  const busy = looks('audio', 60, (index) => ({
    packets: index,
    bytes: index + 1,
    processorMs: index * 390,
  }));
  expect(busy.indexOf('stalled')).toBeGreaterThan(40);
  expect(busy).toContain('stalled');
  const bursts = looks('audio', 200, (index) => ({
    packets: index,
    bytes: index + 1,
    processorMs: Math.floor(index / 20) * 2_000 + Math.min(index % 20, 10) * 200,
  }));
  expect(new Set(bursts)).toEqual(new Set(['well']));
});
