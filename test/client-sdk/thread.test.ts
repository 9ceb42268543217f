import type { Entry } from '@teleconsult/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  emptyThread,
  hasOlder,
  hear,
  hearUnopened,
  isMissingSome,
  learnNewest,
  type Merge,
  type OpenThread,
  openThread,
  prependOlder,
} from '../../client-sdk/thread.ts';
import { minted, textEntry } from './helpers/samples.ts';

const consultationId = minted('cns');
const entry = (sequence: number): Entry => textEntry(sequence, { consultationId });
const entries = (first: number, last: number): Entry[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => entry(first + index));
const sequences = (of: readonly Entry[]): number[] => of.map(({ sequence }) => sequence);

describe('a thread', () => {
  it('[SDK10] whatever the order, repetition and loss of live entries and pages, each entry comes out once, ascending', () => {
    const arrivals = fc.record({
      length: fc.integer({ min: 0, max: 120 }),
      snapshotAt: fc.nat(120),
      pageSize: fc.integer({ min: 1, max: 20 }),
      heard: fc.array(fc.array(fc.nat(130), { maxLength: 8 }), { maxLength: 40 }),
      early: fc.array(fc.nat(130), { maxLength: 10 }),
    });
    fc.assert(
      fc.property(arrivals, ({ length, snapshotAt, pageSize, heard, early }) => {
        const exists = (sequence: number) => sequence >= 1 && sequence <= length;
        const held = Math.min(snapshotAt, length);
        const unopened = hearUnopened(emptyThread, early.filter(exists).map(entry));
        const opened = openThread(unopened, entries(Math.max(1, held - pageSize + 1), held), held);
        const shown = sequences(opened.added);
        let thread: OpenThread = opened.thread;
        const take = (merge: Merge) => {
          thread = merge.thread;
          shown.push(...sequences(merge.added));
        };
        for (const batch of heard) take(hear(thread, batch.filter(exists).map(entry)));
        thread = learnNewest(thread, length);
        // More pages than there are entries would mean that it does not get on.
        for (let pages = 0; isMissingSome(thread); pages += 1) {
          expect(pages).toBeLessThanOrEqual(length);
          const from = thread.lastSequence + 1;
          take(hear(thread, entries(from, Math.min(length, from + pageSize - 1))));
        }
        const first = shown[0] ?? length + 1;
        expect(shown).toEqual(sequences(entries(first, length)));
        expect(sequences(thread.entries)).toEqual(shown);
        expect(thread.early).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('[SDK10] entries ahead of a gap are kept up to a bound, and what was dropped is still known to be missing', () => {
    const { thread } = openThread(emptyThread, entries(1, 1), 1);
    const merged = hear(thread, entries(3, 2_000));
    expect(merged.added).toEqual([]);
    expect(merged.thread.early.length).toBe(400);
    expect(merged.thread.early[0]?.sequence).toBe(3);
    expect(merged.thread.newestKnown).toBe(2_000);
    const filled = hear(merged.thread, [entry(2)]);
    expect(filled.thread.lastSequence).toBe(402);
    expect(isMissingSome(filled.thread)).toBe(true);
  });

  it('[SDK12] older pages join the run without a gap, in any portions', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 80 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 80 }),
        (length, portions) => {
          let { thread } = openThread(emptyThread, entries(length, length), length);
          for (const portion of portions) {
            const first = thread.entries[0]?.sequence ?? 1;
            const page = entries(Math.max(1, first - portion), first - 1);
            const merge = prependOlder(thread, page);
            expect(sequences(merge.added)).toEqual(sequences(page));
            thread = merge.thread;
          }
          const first = thread.entries[0]?.sequence ?? 1;
          expect(sequences(thread.entries)).toEqual(sequences(entries(first, length)));
          expect(hasOlder(thread)).toBe(first > 1);
        },
      ),
    );
  });

  it('[SDK12] an older page that does not join is not taken', () => {
    const { thread } = openThread(emptyThread, entries(50, 60), 60);
    const merge = prependOlder(thread, [...entries(30, 40), ...entries(48, 52)]);
    expect(sequences(merge.added)).toEqual([48, 49]);
  });

  it('[SDK10] a thread that was empty begins with its first entry', () => {
    const { thread } = openThread(emptyThread, [], 0);
    expect(hasOlder(thread)).toBe(false);
    expect(sequences(hear(thread, [entry(2), entry(1)]).added)).toEqual([1, 2]);
  });
});
