import type { OutgoingMessage } from '@teleconsult/client-sdk/api';
import type { Entry } from '@teleconsult/protocol';
import { isSameDay } from '../i18n/format.ts';

export type Row =
  | { readonly type: 'day'; readonly key: string; readonly at: number }
  | {
      readonly type: 'entry';
      readonly key: string;
      readonly entry: Entry;
      /** True when the sender's name belongs above it: another sender, or a pause, came before. */
      readonly startsGroup: boolean;
    }
  | { readonly type: 'outgoing'; readonly key: string; readonly message: OutgoingMessage };

/** Messages of one sender closer than this belong together. */
const GROUP_MS = 5 * 60_000;

/** The thread as it is shown: days between entries, then what is still on its way. */
export function threadRows(entries: readonly Entry[], outbox: readonly OutgoingMessage[]): readonly Row[] {
  const rows: Row[] = [];
  let before: Entry | null = null;
  for (const entry of entries) {
    const newDay = before === null || !isSameDay(before.at, entry.at);
    if (newDay) rows.push({ type: 'day', key: `day-${entry.sequence}`, at: entry.at });
    const startsGroup = newDay || !belongsTo(entry, before);
    rows.push({ type: 'entry', key: `entry-${entry.sequence}`, entry, startsGroup });
    before = entry;
  }
  const arrived = new Set(
    entries.flatMap((entry) => (entry.kind === 'message.sent' ? [entry.clientMessageId] : [])),
  );
  for (const message of outbox) {
    if (arrived.has(message.clientMessageId)) continue;
    rows.push({ type: 'outgoing', key: `outgoing-${message.clientMessageId}`, message });
  }
  return rows;
}

const belongsTo = (entry: Entry, before: Entry | null): boolean =>
  before !== null &&
  entry.kind === 'message.sent' &&
  before.kind === 'message.sent' &&
  entry.by === before.by &&
  entry.at - before.at < GROUP_MS;
