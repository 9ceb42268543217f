import type { AttachmentId, AttachmentKind, MessageDraft } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { MAX_CAPTION_LENGTH, MAX_TEXT_LENGTH, MAX_UPLOAD_BYTES } from '@teleconsult/protocol/limits';
import type { OutgoingDraft } from './api.ts';

export type AttachmentDraft = Exclude<OutgoingDraft, { type: 'text' }>;

/** What the server is told of an upload. */
export interface UploadInput {
  readonly kind: AttachmentKind;
  readonly data: Blob;
  readonly fileName: string;
  readonly contentType: string;
}

const MAX_FILE_NAME_LENGTH = 255;

/** Refuses what the server would refuse, before it waits in the outbox or is uploaded in vain. */
export function checkDraft(draft: OutgoingDraft): void {
  if (draft.type === 'text') {
    if (draft.text.trim() === '') throw new AppError('INVALID', { detail: 'text: is blank' });
    if (draft.text.length > MAX_TEXT_LENGTH) throw new AppError('TOO_LARGE', { detail: 'text' });
    return;
  }
  if (draft.data.size === 0) throw new AppError('INVALID', { detail: 'data: is empty' });
  if (draft.data.size > MAX_UPLOAD_BYTES[draft.type]) throw new AppError('TOO_LARGE', { detail: 'data' });
  if (draft.type !== 'voice' && (draft.caption?.length ?? 0) > MAX_CAPTION_LENGTH) {
    throw new AppError('TOO_LARGE', { detail: 'caption' });
  }
  if (draft.type !== 'file') return;
  if (draft.fileName === '') throw new AppError('INVALID', { detail: 'fileName: is empty' });
  if (draft.fileName.length > MAX_FILE_NAME_LENGTH) throw new AppError('TOO_LARGE', { detail: 'fileName' });
}

/** What a draft becomes once its attachment has been uploaded. An empty caption is none. */
export function contentOf(draft: AttachmentDraft, attachmentId: AttachmentId): MessageDraft {
  const caption = draft.type === 'voice' || !draft.caption ? {} : { caption: draft.caption };
  return { type: draft.type, attachmentId, ...caption };
}

/** Only a file keeps its name: a camera's or recorder's names say more about the person than about the picture. */
export function uploadOf(draft: AttachmentDraft): UploadInput {
  return {
    kind: draft.type,
    data: draft.data,
    fileName: draft.type === 'file' ? draft.fileName : draft.type,
    contentType: draft.data.type === '' ? 'application/octet-stream' : draft.data.type,
  };
}
