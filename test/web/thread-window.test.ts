import { type Entry, Entry as EntrySchema } from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { MAX_SHOWN, ThreadWindow } from '../../web/state/thread-window.ts';

const id = (prefix: string, number: number): string => `${prefix}_${String(number).padStart(22, '0')}`;

const said = (sequence: number): Entry =>
  EntrySchema.parse({
    kind: 'message.sent',
    consultationId: id('cns', 1),
    sequence,
    at: sequence,
    by: 'a',
    messageId: id('msg', sequence),
    clientMessageId: `client-${sequence}`,
    content: { type: 'text', text: String(sequence) },
  });

const run = (from: number, to: number): Entry[] =>
  Array.from({ length: to - from + 1 }, (_, index) => said(from + index));

/** A thread of which the SDK holds the newest, and pages come from the server. */
function thread(length: number, held: number) {
  const all = run(1, length);
  const fetched: string[] = [];
  const source = {
    all,
    fetched,
    entries: all.slice(-held),
    view: {} as never,
    fails: false,
    async page(range: { after: number } | { before: number }, { limit = 50 }: { limit?: number } = {}) {
      fetched.push(JSON.stringify(range));
      if (source.fails) throw new Error('lost');
      const from = 'after' in range ? range.after : Math.max(0, range.before - 1 - limit);
      const to = 'after' in range ? range.after + limit : range.before - 1;
      return { entries: all.slice(from, to), hasMore: false };
    },
    add(...entries: Entry[]) {
      all.push(...entries);
      source.entries = [...source.entries, ...entries];
    },
  };
  return source;
}

const numbers = (shown: ThreadWindow): [number | undefined, number | undefined, number] => [
  shown.entries[0]?.sequence,
  shown.entries.at(-1)?.sequence,
  shown.entries.length,
];

describe('the part of a thread that is in the page', () => {
  it('[WEB11] a walk from the newest of 10,000 messages to the first and back never holds more than its bound, and no gap', async () => {
    const source = thread(10_000, 2_000);
    const shown = new ThreadWindow(source);
    expect(numbers(shown)).toEqual([10_000 - MAX_SHOWN + 1, 10_000, MAX_SHOWN]);
    const isGapless = (): boolean =>
      shown.entries.every(
        (entry, index) => index === 0 || entry.sequence === (shown.entries[index - 1]?.sequence ?? 0) + 1,
      );
    for (let steps = 0; shown.hasOlder && steps < 500; steps += 1) {
      await shown.older();
      expect(shown.entries.length).toBeLessThanOrEqual(MAX_SHOWN);
      expect(isGapless()).toBe(true);
    }
    expect(shown.entries[0]?.sequence).toBe(1);
    expect(source.fetched.length).toBeGreaterThan(100);
    for (let steps = 0; shown.hasNewer && steps < 500; steps += 1) {
      await shown.newer();
      expect(shown.entries.length).toBeLessThanOrEqual(MAX_SHOWN);
      expect(isGapless()).toBe(true);
    }
    expect(shown.entries.at(-1)?.sequence).toBe(10_000);
  });

  it('[WEB11] what the SDK holds is not fetched again', async () => {
    const source = thread(400, 400);
    const shown = new ThreadWindow(source);
    await shown.older();
    await shown.jumpTo(100);
    await shown.newer();
    expect(source.fetched).toEqual([]);
  });

  it('[WEB12] new messages push out the oldest for a reader at the end, and wait below for one further up', () => {
    const source = thread(500, 500);
    const shown = new ThreadWindow(source);
    source.add(said(501));
    shown.add([said(501)], true);
    expect(numbers(shown)).toEqual([501 - MAX_SHOWN + 1, 501, MAX_SHOWN]);
    source.add(said(502));
    shown.add([said(502)], false);
    expect(shown.entries.at(-1)?.sequence).toBe(501);
    expect(shown.hasNewer).toBe(true);
    shown.toNewest();
    expect(shown.entries.at(-1)?.sequence).toBe(502);
    expect(shown.hasNewer).toBe(false);
  });

  it('[WEB12] a window in the past takes no new entries: they would leave a gap', async () => {
    const source = thread(5_000, 2_000);
    const shown = new ThreadWindow(source);
    await shown.toBeginning();
    expect(shown.entries[0]?.sequence).toBe(1);
    source.add(said(5_001));
    shown.add([said(5_001)], true);
    expect(shown.entries.some(({ sequence }) => sequence === 5_001)).toBe(false);
    expect(shown.hasNewer).toBe(true);
  });

  it('[WEB13] a jump shows the message with its neighbours; one that is not there is told', async () => {
    const shown = new ThreadWindow(thread(5_000, 2_000));
    expect(await shown.jumpTo(700)).toBe(true);
    expect(shown.holds(671) && shown.holds(700) && shown.holds(725)).toBe(true);
    expect(await shown.jumpTo(9_999)).toBe(false);
    expect(shown.holds(700)).toBe(true);
  });

  it('[WEB13] where the reader went last wins over a page that comes late', async () => {
    const shown = new ThreadWindow(thread(5_000, 2_000));
    const late = shown.toBeginning();
    shown.toNewest();
    await late;
    expect(shown.entries.at(-1)?.sequence).toBe(5_000);
    expect(shown.moving).toBeNull();
  });

  it('[WEB13] a page that cannot be fetched leaves the window as it is, and the next try works', async () => {
    const source = thread(5_000, 100);
    const shown = new ThreadWindow(source);
    source.fails = true;
    await expect(shown.older()).rejects.toThrow('lost');
    expect(shown.moving).toBeNull();
    source.fails = false;
    await shown.older();
    expect(shown.entries[0]?.sequence).toBe(4_841);
  });

  it('[WEB14] a recalled message is withdrawn wherever it is shown, also in a page the SDK does not hold', async () => {
    const source = thread(5_000, 100);
    const shown = new ThreadWindow(source);
    await shown.toBeginning();
    const recalled = EntrySchema.parse({
      kind: 'message.recalled',
      consultationId: id('cns', 1),
      sequence: 5_001,
      at: 1,
      by: 'a',
      target: 3,
      messageId: id('msg', 3),
    });
    source.add(recalled);
    shown.add([recalled], false);
    expect(shown.find(3)).toMatchObject({ content: { type: 'withdrawn', how: 'recalled' } });
  });
});
