import type { OutgoingDraft } from '@teleconsult/client-sdk/api';
import { MAX_CAPTION_LENGTH, MAX_UPLOAD_BYTES } from '@teleconsult/protocol/limits';

/** A picture or file chosen but not sent: nothing leaves the device before the person has seen it here. */
export interface PendingAttachment {
  readonly id: number;
  readonly type: 'image' | 'file';
  readonly data: Blob;
  readonly fileName: string;
}

export type Refusal = { readonly reason: 'too_large' | 'empty'; readonly limitBytes: number };

let lastId = 0;

/** SVG can carry scripts and is refused as a picture by the server; it may be sent as a file. */
const isPicture = (file: File): boolean => file.type.startsWith('image/') && file.type !== 'image/svg+xml';

export function pending(file: File, as: 'image' | 'file' | 'either'): PendingAttachment {
  lastId += 1;
  const type = as === 'either' ? (isPicture(file) ? 'image' : 'file') : as;
  return { id: lastId, type, data: file, fileName: file.name || 'file' };
}

export function refusal({ type, data }: PendingAttachment): Refusal | null {
  const limitBytes = MAX_UPLOAD_BYTES[type];
  if (data.size === 0) return { reason: 'empty', limitBytes };
  return data.size > limitBytes ? { reason: 'too_large', limitBytes } : null;
}

/**
 * The messages one press of "send" makes: a short text becomes the caption of a single attachment, otherwise the
 * attachments go first and the text follows them.
 */
export function draftsOf(attachments: readonly PendingAttachment[], text: string): readonly OutgoingDraft[] {
  const trimmed = text.trim();
  const isCaption = attachments.length === 1 && trimmed !== '' && trimmed.length <= MAX_CAPTION_LENGTH;
  const caption = isCaption ? { caption: trimmed } : {};
  const drafts: OutgoingDraft[] = attachments.map(({ type, data, fileName }) =>
    type === 'image' ? { type, data, ...caption } : { type, data, fileName, ...caption },
  );
  if (trimmed !== '' && !isCaption) drafts.push({ type: 'text', text: trimmed });
  return drafts;
}
