import type { AttachmentId, AttachmentKind, MessageDraft } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import {
  MAX_CAPTION_LENGTH,
  MAX_FORM_ATTACHMENTS,
  MAX_TEXT_LENGTH,
  MAX_UPLOAD_BYTES,
} from '@teleconsult/protocol/limits';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { OutgoingDraft } from './api.ts';

type FormDraft = Extract<OutgoingDraft, { type: 'form' }>;

/** What the server is told of an upload. */
export interface UploadInput {
  readonly kind: AttachmentKind;
  readonly data: Blob;
  readonly fileName: string;
  readonly contentType: string;
}

const MAX_FILE_NAME_LENGTH = 255;
/** As the protocol's `ConsultationForm`. */
const MAX_COMPLAINT_LENGTH = 2_000;

/** Refuses what the server would refuse, before it waits in the outbox or is uploaded in vain. */
export function checkDraft(draft: OutgoingDraft): void {
  switch (draft.type) {
    case 'text':
      if (draft.text.trim() === '') throw new AppError('INVALID', { detail: 'text: is blank' });
      if (draft.text.length > MAX_TEXT_LENGTH) throw new AppError('TOO_LARGE', { detail: 'text' });
      break;
    case 'voice':
      break;
    case 'image':
      checkCaption(draft.caption);
      break;
    case 'file':
      checkCaption(draft.caption);
      if (draft.fileName === '') throw new AppError('INVALID', { detail: 'fileName: is empty' });
      break;
    case 'form':
      checkForm(draft);
      break;
    default:
      unreachable(draft);
  }
  for (const { kind, data, fileName } of uploadsOf(draft)) {
    if (data.size === 0) throw new AppError('INVALID', { detail: 'data: is empty' });
    if (data.size > MAX_UPLOAD_BYTES[kind]) throw new AppError('TOO_LARGE', { detail: 'data' });
    if (fileName.length > MAX_FILE_NAME_LENGTH) throw new AppError('TOO_LARGE', { detail: 'fileName' });
  }
}

/**
 * What is to be uploaded for a draft, in order. Only a file keeps its name: a camera's or recorder's names say more
 * about the person than about the picture.
 */
export function uploadsOf(draft: OutgoingDraft): readonly UploadInput[] {
  switch (draft.type) {
    case 'text':
      return [];
    case 'image':
    case 'voice':
      return [inputOf(draft.type, draft.data, draft.type)];
    case 'file':
      return [inputOf('file', draft.data, draft.fileName)];
    case 'form':
      return draft.attachments.map(({ data, fileName }) =>
        data.type.startsWith('image/')
          ? inputOf('image', data, 'image')
          : inputOf('file', data, fileName === undefined || fileName === '' ? 'file' : fileName),
      );
    default:
      return unreachable(draft);
  }
}

export function bytesOf(draft: OutgoingDraft): number {
  return uploadsOf(draft).reduce((sum, { data }) => sum + data.size, 0);
}

/** What a draft becomes once its attachments have been uploaded, given in the order of `uploadsOf`. */
export function contentOf(draft: OutgoingDraft, attachmentIds: readonly AttachmentId[]): MessageDraft {
  const uploaded = (index: number): AttachmentId => {
    const attachmentId = attachmentIds[index];
    if (attachmentId === undefined) throw new Error('an attachment has not been uploaded');
    return attachmentId;
  };
  switch (draft.type) {
    case 'text':
      return { type: 'text', text: draft.text };
    case 'voice':
      return { type: 'voice', attachmentId: uploaded(0) };
    case 'image':
    case 'file':
      // An empty caption is none.
      return {
        type: draft.type,
        attachmentId: uploaded(0),
        ...(draft.caption ? { caption: draft.caption } : {}),
      };
    case 'form': {
      const attachments = draft.attachments.map(({ purpose }, index) => ({
        purpose,
        attachmentId: uploaded(index),
      }));
      return { type: 'form', form: { ...draft.form, attachments } };
    }
    default:
      return unreachable(draft);
  }
}

function checkCaption(caption = ''): void {
  if (caption.length > MAX_CAPTION_LENGTH) throw new AppError('TOO_LARGE', { detail: 'caption' });
}

function checkForm({ form, attachments }: FormDraft): void {
  if (form.chiefComplaint.trim() === '')
    throw new AppError('INVALID', { detail: 'form.chiefComplaint: is blank' });
  if (form.chiefComplaint.length > MAX_COMPLAINT_LENGTH) {
    throw new AppError('TOO_LARGE', { detail: 'form.chiefComplaint' });
  }
  if (attachments.length > MAX_FORM_ATTACHMENTS)
    throw new AppError('TOO_LARGE', { detail: 'form.attachments' });
}

function inputOf(kind: AttachmentKind, data: Blob, fileName: string): UploadInput {
  return { kind, data, fileName, contentType: data.type === '' ? 'application/octet-stream' : data.type };
}
