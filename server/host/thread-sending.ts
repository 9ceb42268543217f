import {
  AppError,
  type Attachment,
  type AttachmentId,
  type ClientMessageId,
  type ConsultationId,
  type MessageContent,
  type MessageDraft,
  type MessageEntry,
  type PersonId,
} from '@teleconsult/protocol';
import type { Committed } from './actor.ts';
import type { SendCommand } from './batch.ts';
import { canonical } from './entry-codec.ts';
import type { Held, HeldConsultations } from './held-consultations.ts';
import type { ConsultationStore, IdGenerator } from './ports.ts';
import { contentOf, draftOf } from './thread-content.ts';
import { readEntry } from './thread-targets.ts';

export interface MessageSenderParts {
  readonly store: ConsultationStore;
  readonly held: HeldConsultations;
  readonly ids: IdGenerator;
  readonly submit: (id: ConsultationId, command: SendCommand) => Promise<Committed>;
  readonly attachmentContent: (
    id: ConsultationId,
    by: PersonId,
    attachmentId: AttachmentId,
  ) => Promise<Attachment>;
}

interface Outgoing {
  readonly by: PersonId;
  readonly clientMessageId: ClientMessageId;
  readonly draft: MessageDraft;
  readonly replyTo?: number | undefined;
}

/** Makes messages of drafts: attachments are looked up, and what is answered must be a message. */
export class MessageSender {
  readonly #parts: MessageSenderParts;

  constructor(parts: MessageSenderParts) {
    this.#parts = parts;
  }

  async send(id: ConsultationId, outgoing: Outgoing): Promise<MessageEntry> {
    const { by, clientMessageId, replyTo } = outgoing;
    // Who may not send here learns nothing of attachments: the consultation is looked at first.
    const held = await this.#parts.held.visible(id, by);
    if (replyTo !== undefined) await this.#requireMessage(held, replyTo);
    const content = await this.#content(held, outgoing);
    if ('earlier' in content) return content.earlier;
    const messageId = this.#parts.ids.messageId();
    const command: SendCommand = { type: 'send', by, messageId, clientMessageId, ...content, replyTo };
    const { entries } = await this.#parts.submit(id, command);
    const [entry] = entries;
    if (entry?.kind !== 'message.sent') throw new AppError('INTERNAL');
    return entry;
  }

  async #requireMessage({ actor }: Held, sequence: number): Promise<void> {
    const { id, sequence: last } = actor.state;
    const stored = sequence > last ? null : await readEntry(this.#parts.store, id, sequence);
    if (stored?.kind !== 'message.sent')
      throw new AppError('INVALID', { detail: 'replyTo: there is no message of this sequence' });
  }

  /** The content, or, when its attachments cannot be sent any more, the message that was sent with them before. */
  async #content(
    held: Held,
    outgoing: Outgoing,
  ): Promise<{ content: MessageContent } | { earlier: MessageEntry }> {
    const { by, draft } = outgoing;
    const { id } = held.actor.state;
    try {
      const sendable = (attachmentId: AttachmentId) => this.#parts.attachmentContent(id, by, attachmentId);
      return { content: await contentOf(draft, sendable) };
    } catch (error) {
      const earlier = await this.#sentBefore(held, outgoing);
      if (earlier === null) throw error;
      return { earlier };
    }
  }

  /** A withdrawn message took its attachments with it; repeating it is answered all the same. */
  async #sentBefore({ actor, codec }: Held, outgoing: Outgoing): Promise<MessageEntry | null> {
    const { by, clientMessageId, draft, replyTo } = outgoing;
    const stored = await this.#parts.store.findMessage(actor.state.id, by, clientMessageId);
    if (stored === null || stored.withdrawn === null) return null;
    const [entry, original] = [codec.open(stored), codec.openOriginal(stored)];
    if (entry.kind !== 'message.sent' || original.kind !== 'message.sent') return null;
    if (original.replyTo !== replyTo || canonical(draftOf(original.content)) !== canonical(draft))
      throw new AppError('CONFLICT');
    return entry;
  }
}
