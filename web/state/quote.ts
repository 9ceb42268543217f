import type { MessageContent } from '@teleconsult/protocol';
import { messages } from '../i18n/language.ts';

const MAX_LENGTH = 160;

/** A message in one line, for quotes and search results. */
export function quoteOf(content: MessageContent): string {
  const { kinds } = messages().thread;
  switch (content.type) {
    case 'text':
      return oneLine(content.text);
    case 'image':
      return named(kinds.picture, content.caption);
    case 'voice':
      return kinds.voice;
    case 'file':
      return named(
        content.attachment.kind === 'file' ? content.attachment.fileName : kinds.file,
        content.caption,
      );
    case 'form':
      return named(kinds.form, content.form.chiefComplaint);
    case 'withdrawn':
      return kinds.withdrawn;
    default: {
      const unreachable: never = content;
      return unreachable;
    }
  }
}

const named = (kind: string, text: string | undefined): string =>
  text === undefined ? kind : `${kind} · ${oneLine(text)}`;

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line;
}
