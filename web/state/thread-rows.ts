import type { OutgoingMessage } from '@teleconsult/client-sdk/api';
import type { Entry } from '@teleconsult/protocol';
import { isSameDay } from '../i18n/format.ts';

export type Row =
  | { readonly type: 'day'; readonly key: string; readonly at: number }
  | { readonly type: 'unread'; readonly key: string }
  | {
      readonly type: 'entry';
      readonly key: string;
      readonly entry: Entry;
      /** True when the sender's name belongs above it: another sender, or a pause, came before. */
      readonly startsGroup: boolean;
    }
  | { readonly type: 'outgoing'; readonly key: string; readonly message: OutgoingMessage }
  /** Messages in the outbox that are not shown one by one. */
  | { readonly type: 'moreOutgoing'; readonly key: string; readonly count: number };

interface ThreadShown {
  readonly entries: readonly Entry[];
  readonly outbox: readonly OutgoingMessage[];
  /** Unread messages begin after this sequence; null: no line before them. */
  readonly unreadAfter?: number | null;
}

/** Messages of one sender closer than this belong together. */
const GROUP_MS = 5 * 60_000;
/** Most messages of the outbox shown one by one: the outbox may hold 500, the page should not. */
const MAX_OUTGOING = 50;

/** The thread as it is shown: days between entries, a line before what is unread, then what is still on its way. */
export function threadRows({ entries, outbox, unreadAfter = null }: ThreadShown): readonly Row[] {
  const rows: Row[] = [];
  let before: Entry | null = null;
  let isParted = unreadAfter === null;
  for (const entry of entries) {
    const newDay = before === null || !isSameDay(before.at, entry.at);
    if (newDay) rows.push({ type: 'day', key: `day-${entry.sequence}`, at: entry.at });
    const isUnread = !isParted && unreadAfter !== null && entry.sequence > unreadAfter;
    const partsHere = isUnread && entry.kind === 'message.sent';
    if (partsHere) {
      rows.push({ type: 'unread', key: 'unread' });
      isParted = true;
    }
    const startsGroup = newDay || partsHere || !belongsTo(entry, before);
    rows.push({ type: 'entry', key: `entry-${entry.sequence}`, entry, startsGroup });
    before = entry;
  }
  const arrived = new Set(
    entries.flatMap((entry) => (entry.kind === 'message.sent' ? [entry.clientMessageId] : [])),
  );
  const waiting = outbox.filter(({ clientMessageId }) => !arrived.has(clientMessageId));
  for (const message of waiting.slice(0, MAX_OUTGOING))
    rows.push({ type: 'outgoing', key: `outgoing-${message.clientMessageId}`, message });
  if (waiting.length > MAX_OUTGOING)
    rows.push({ type: 'moreOutgoing', key: 'more-outgoing', count: waiting.length - MAX_OUTGOING });
  return rows;
}

const belongsTo = (entry: Entry, before: Entry | null): boolean =>
  before !== null &&
  entry.kind === 'message.sent' &&
  before.kind === 'message.sent' &&
  entry.by === before.by &&
  entry.at - before.at < GROUP_MS;
