import type { OutgoingMessage } from '@teleconsult/client-sdk';
import { type Entry, Entry as EntrySchema } from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { threadRows } from '../../web/state/thread-rows.ts';

const NOON = new Date(2026, 2, 10, 12).getTime();
const DAY_MS = 24 * 3_600_000;
const id = (prefix: string, number: number): string => `${prefix}_${String(number).padStart(22, '0')}`;

function said(sequence: number, by: string, at: number): Entry {
  return EntrySchema.parse({
    kind: 'message.sent',
    consultationId: id('cns', 1),
    sequence,
    at,
    by,
    messageId: id('msg', sequence),
    clientMessageId: `client-${sequence}`,
    content: { type: 'text', text: 'x' },
  });
}

const outgoing = (clientMessageId: string): OutgoingMessage => ({
  clientMessageId: clientMessageId as OutgoingMessage['clientMessageId'],
  state: 'sending',
  draft: { type: 'text', text: 'x' },
  progress: 0,
  attempts: 1,
  error: null,
  queuedAt: NOON,
  replyTo: null,
});

describe('the rows of a thread', () => {
  it('[WEB4] a day stands before the first entry of each day', () => {
    const rows = threadRows({
      entries: [said(1, 'a', NOON), said(2, 'a', NOON + 1), said(3, 'a', NOON + DAY_MS)],
      outbox: [],
    });
    expect(rows.map(({ type }) => type)).toEqual(['day', 'entry', 'entry', 'day', 'entry']);
  });

  it('[WEB4] the name is said again after another sender, a pause of five minutes, or midnight', () => {
    const rows = threadRows({
      outbox: [],
      entries: [
        said(1, 'a', NOON),
        said(2, 'a', NOON + 60_000),
        said(3, 'b', NOON + 61_000),
        said(4, 'a', NOON + 62_000),
        said(5, 'a', NOON + 62_000 + 5 * 60_000),
        said(6, 'a', NOON + DAY_MS),
      ],
    });
    const groups = rows.flatMap((row) => (row.type === 'entry' ? [row.startsGroup] : []));
    expect(groups).toEqual([true, false, true, true, true, true]);
  });

  it('[WEB4] a message is shown once, also while it is in the outbox and in the thread', () => {
    const rows = threadRows({
      entries: [said(1, 'a', NOON)],
      outbox: [outgoing('client-1'), outgoing('client-2')],
    });
    expect(rows.map(({ key }) => key)).toEqual(['day-1', 'entry-1', 'outgoing-client-2']);
  });

  it('[WEB4] keys are unique and do not change when older entries are loaded', () => {
    const newer = [said(2, 'a', NOON), said(3, 'b', NOON + 1)];
    const keys = (entries: readonly Entry[]) => threadRows({ entries, outbox: [] }).map(({ key }) => key);
    const after = keys([said(1, 'a', NOON - 1), ...newer]);
    expect(new Set(after).size).toBe(after.length);
    expect(after.filter((key) => key.startsWith('entry-')).slice(1)).toEqual(['entry-2', 'entry-3']);
  });
});
