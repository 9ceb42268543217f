import type { PhoneCallEndReason } from '@teleconsult/client-sdk/phone';
import type { Entry, PersonId } from '@teleconsult/protocol';
import { duration } from '../i18n/format.ts';
import { phoneWords } from '../i18n/phone.ts';

export type PhoneEntry = Extract<Entry, { kind: `phone.${string}` }>;

/** Whoever knows names and the thread: the visit. */
export interface PhoneReader {
  readonly visit: { readonly entries: readonly Entry[] };
  isSelf(personId: PersonId | null): boolean;
  nameOf(personId: PersonId | null): string;
}

/** Ends of those who talked. Before an answer they all mean the same to whoever reads them. */
const ENDS_TALK: ReadonlySet<PhoneCallEndReason> = new Set(['completed', 'unbound', 'time_over', 'lost']);

/** The entry as a line of the conversation: who called, whether it was answered, and how long they talked. */
export function phoneStory(entry: PhoneEntry, reader: PhoneReader): string {
  const { line } = phoneWords();
  switch (entry.kind) {
    case 'phone.bound':
      if (entry.by === null) return line.boundByRule;
      return reader.isSelf(entry.by) ? line.youBound : line.bound(reader.nameOf(entry.by));
    case 'phone.unbound':
      return line.unbound[entry.reason];
    case 'phone.callStarted':
      return reader.isSelf(entry.by) ? line.youStarted : line.started(reader.nameOf(entry.by));
    case 'phone.callAnswered':
      return line.answered;
    case 'phone.callEnded': {
      const caller = callerOf(entry, reader);
      const talked = duration(entry.talkMs);
      const reason = entry.talkMs === 0 && ENDS_TALK.has(entry.reason) ? 'failed' : entry.reason;
      const ended =
        caller !== null && reader.isSelf(caller)
          ? line.youEnded[reason](talked)
          : line.ended[reason](caller === null ? line.someone : reader.nameOf(caller), talked);
      // Nobody misses the recording of a call that was none.
      const { notRecorded } = entry;
      return notRecorded === undefined || entry.talkMs === 0 ? ended : line.notRecorded[notRecorded](ended);
    }
    case 'phone.refused': {
      const { personId, refused } = entry;
      if (reader.isSelf(personId)) return refused ? line.youRefused : line.youAllowed;
      return refused ? line.refused(reader.nameOf(personId)) : line.allowed(reader.nameOf(personId));
    }
    default: {
      const unreachable: never = entry;
      return unreachable;
    }
  }
}

/** The end names the call; who began it is told by its beginning, which an old page of the thread may not have. */
function callerOf({ phoneCallId }: { phoneCallId: string }, { visit }: PhoneReader): PersonId | null {
  for (const entry of visit.entries)
    if (entry.kind === 'phone.callStarted' && entry.phoneCallId === phoneCallId) return entry.by;
  return null;
}

/** What a person who does not see the page has to hear; null for their own doings, but for the end of a call. */
export function phoneNewsAloud(entry: PhoneEntry, reader: PhoneReader): string | null {
  const isOwn =
    entry.kind !== 'phone.callEnded' && entry.kind !== 'phone.callAnswered' && reader.isSelf(entry.by);
  if (isOwn) return null;
  if (entry.kind === 'phone.callStarted') return phoneWords().line.startedNow(reader.nameOf(entry.by));
  return phoneStory(entry, reader);
}
