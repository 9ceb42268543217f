import {
  AppError,
  type Attachment,
  type AttachmentId,
  type ConsultationForm,
  type MessageContent,
  type MessageDraft,
} from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';

/** Attachments of one form that are looked up at once. */
const AT_ONCE = 4;

/** Facts of a finished attachment that the sender may send here; throws when they may not, or it is not ready. */
export type Sendable = (attachmentId: AttachmentId) => Promise<Attachment>;

/** What a draft says once its attachments are known. */
export async function contentOf(draft: MessageDraft, sendable: Sendable): Promise<MessageContent> {
  switch (draft.type) {
    case 'text':
      return draft;
    case 'image':
    case 'voice':
    case 'file': {
      const attachment = await sendable(draft.attachmentId);
      if (attachment.kind !== draft.type)
        throw new AppError('INVALID', { detail: `the attachment is of kind ${attachment.kind}` });
      const caption = draft.type === 'voice' || draft.caption === undefined ? {} : { caption: draft.caption };
      return { type: draft.type, attachment, ...caption };
    }
    case 'form': {
      const { attachments, ...fields } = draft.form;
      return { type: 'form', form: { ...fields, attachments: await shown(attachments, sendable) } };
    }
    default:
      return unreachable(draft);
  }
}

/** The draft a content was made from; null for what is left of a withdrawn message. */
export function draftOf(content: MessageContent): MessageDraft | null {
  switch (content.type) {
    case 'text':
      return content;
    case 'image':
    case 'file':
    case 'voice': {
      const { attachment, ...rest } = content;
      return { ...rest, attachmentId: attachment.attachmentId };
    }
    case 'form': {
      const attachments = content.form.attachments.map(({ purpose, attachment: { attachmentId } }) => ({
        purpose,
        attachmentId,
      }));
      return { type: 'form', form: { ...content.form, attachments } };
    }
    case 'withdrawn':
      return null;
    default:
      return unreachable(content);
  }
}

type Shown = ConsultationForm['attachments'];

/** Pictures and documents of a form, in its order. */
async function shown(
  drafts: Extract<MessageDraft, { type: 'form' }>['form']['attachments'],
  sendable: Sendable,
): Promise<Shown> {
  const found: Shown = [];
  for (let start = 0; start < drafts.length; start += AT_ONCE) {
    const some = drafts.slice(start, start + AT_ONCE).map(async ({ purpose, attachmentId }) => {
      const attachment = await sendable(attachmentId);
      if (attachment.kind === 'voice')
        throw new AppError('INVALID', { detail: 'a form shows pictures and documents' });
      return { purpose, attachment };
    });
    found.push(...(await Promise.all(some)));
  }
  return found;
}
