import type { Entry } from '@teleconsult/protocol';
import { duration } from '../i18n/format.ts';
import { messages } from '../i18n/language.ts';
import { speak } from './announcer.ts';
import type { PhoneEntry, PhoneReader } from './phone-story.ts';

const isOfPhone = (entry: Entry): entry is PhoneEntry => entry.kind.startsWith('phone.');

/** Says a new entry aloud, where there is something to say of it. */
export function speakEntry(entry: Entry, reader: PhoneReader): void {
  if (isOfPhone(entry)) {
    // Its words are fetched with the first; the line itself is in the thread all the same.
    void import('./phone-story.ts')
      .then(({ phoneNewsAloud }) => say(phoneNewsAloud(entry, reader)))
      .catch(() => undefined);
    return;
  }
  say(spokenOf(entry, reader));
}

function say(text: string | null): void {
  if (text !== null) speak(text);
}

/** What a person who does not see the page has to hear of an entry; null for their own doings. */
function spokenOf(entry: Entry, reader: PhoneReader): string | null {
  const { thread, call } = messages();
  if (entry.kind === 'call.ended')
    return entry.reason === 'completed'
      ? thread.callEnded.completed(duration(entry.durationMs))
      : call.outcome[entry.reason];
  if (reader.isSelf(entry.by)) return null;
  const name = reader.nameOf(entry.by);
  if (entry.kind === 'consultation.accepted') return thread.accepted(name);
  if (entry.kind === 'consultation.waiting') return thread.waiting(name);
  if (entry.kind === 'consultation.ended') return messages().ended[entry.reason];
  if (entry.kind === 'call.answered') return thread.answered(name);
  if (entry.kind === 'call.mediaChanged') return thread.mediaChanged[entry.media];
  if (entry.kind === 'participant.joined')
    return thread.joined(entry.displayName, messages().role[entry.role]);
  if (entry.kind === 'participant.left') return thread.leftBy[entry.reason](reader.nameOf(entry.personId));
  if (entry.kind === 'message.recalled') return thread.recalled(name);
  if (entry.kind === 'message.removed') return thread.removed;
  if (entry.kind !== 'message.sent') return null;
  const { content } = entry;
  if (content.type === 'form') return thread.saidForm(name);
  if (content.type === 'text') return thread.saidText(name, content.text);
  if (content.type === 'image') return thread.saidPicture(name);
  if (content.type === 'voice' && content.attachment.kind === 'voice')
    return thread.saidVoice(name, duration(content.attachment.durationMs));
  if (content.type === 'file' && content.attachment.kind === 'file')
    return thread.saidFile(name, content.attachment.fileName);
  return null;
}
