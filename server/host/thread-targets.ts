import type {
  Attachment,
  AttachmentId,
  ConsultationId,
  Entry,
  MessageContent,
  MessageEntry,
  PersonId,
} from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { MessageTarget } from '../consultation/commands.ts';
import type { EntryCodec } from './entry-codec.ts';
import type { ConsultationStore, ReadEntry } from './ports.ts';

/**
 * The wish that a message be withdrawn, naming it by its place. What lies there is looked up in the
 * consultation's queue, just before the step: of two wishes at once the second finds what the first has done.
 */
export type MessageWish =
  | { readonly type: 'message.recall'; readonly by: PersonId; readonly sequence: number }
  | { readonly type: 'message.remove'; readonly sequence: number; readonly reason?: string | undefined };

/** A message as it lies in the thread, with what withdrawing it concerns. */
export interface FoundMessage extends MessageTarget {
  readonly attachmentIds: readonly AttachmentId[];
  /** The entry that withdrew it; null: none did. */
  readonly withdrawnBy: Entry | null;
}

export const foundIn = (entry: MessageEntry): FoundMessage => ({
  sequence: entry.sequence,
  messageId: entry.messageId,
  by: entry.by,
  at: entry.at,
  withdrawn: false,
  withdrawnBy: null,
  attachmentIds: attachmentsOf(entry.content).map(({ attachmentId }) => attachmentId),
});

/** The entry at a place of the thread; null when there is none. */
export async function readEntry(
  store: ConsultationStore,
  id: ConsultationId,
  sequence: number,
): Promise<ReadEntry | null> {
  if (sequence < 1) return null;
  const [stored] = await store.page(id, { after: sequence - 1, limit: 1 });
  return stored?.sequence === sequence ? stored : null;
}

/** The message at a place of the thread; null when there is none, or what is there is no message. */
export async function findMessage(
  { store, codec }: { readonly store: ConsultationStore; readonly codec: EntryCodec },
  id: ConsultationId,
  sequence: number,
): Promise<FoundMessage | null> {
  const stored = await readEntry(store, id, sequence);
  const entry = stored?.kind === 'message.sent' ? codec.openOriginal(stored) : null;
  if (stored === null || entry?.kind !== 'message.sent') return null;
  const found = foundIn(entry);
  if (stored.withdrawn === null) return found;
  const by = stored.withdrawnBy === null ? null : await readEntry(store, id, stored.withdrawnBy);
  return { ...found, withdrawn: true, withdrawnBy: by === null ? null : codec.open(by) };
}

/** The attachments a content shows. */
export function attachmentsOf(content: MessageContent): readonly Attachment[] {
  switch (content.type) {
    case 'text':
    case 'withdrawn':
      return [];
    case 'image':
    case 'voice':
    case 'file':
      return [content.attachment];
    case 'form':
      return content.form.attachments.map(({ attachment }) => attachment);
    default:
      return unreachable(content);
  }
}
