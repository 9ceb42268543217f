import { type Attachment, AttachmentId, type ConsultationId } from '@teleconsult/protocol';
import type { ObjectStore } from '../storage/objects/object-store.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import type { SealOptions } from '../vault/vault.ts';

/** What is kept of an attachment: what was sent, made anew, and of pictures a small one. */
export const VARIANTS = ['original', 'thumbnail'] as const;
export type Variant = (typeof VARIANTS)[number];

/** What is sealed of an upload until it has been processed; file names speak. */
export interface ReceivingFacts {
  readonly fileName: string;
  readonly declaredType: string;
}

/** What is sealed of a finished attachment. */
export interface ReadyFacts {
  readonly attachment: Attachment;
  readonly thumbnailType?: string;
}

export interface RefusedFacts {
  readonly code: 'UNSUPPORTED_MEDIA' | 'TOO_LARGE' | 'INTERNAL';
  readonly detail: string;
}

const FOLDER = 'attachments/';

/** Where the object store has it. */
export const objectKey = (attachmentId: AttachmentId, variant: Variant): string =>
  `${FOLDER}${attachmentId}/${variant}`;

/** All attachments there are. Reads the names of every object: for the start, not for requests. */
export async function* storedAttachments(
  objects: ObjectStore,
): AsyncGenerator<{ attachmentId: AttachmentId; key: string }> {
  for await (const key of objects.list(FOLDER)) {
    const attachmentId = AttachmentId.safeParse(key.slice(FOLDER.length).split('/')[0]);
    if (attachmentId.success) yield { attachmentId: attachmentId.data, key };
  }
}

/** What it is sealed as: neither another variant nor another attachment can take its place. */
export const sealing = (
  place: { consultation: ConsultationId; attachmentId: AttachmentId; variant: Variant },
  key: ConsultationKey,
): SealOptions => ({
  key,
  context: {
    consultation: place.consultation,
    purpose: 'attachment',
    object: `${place.attachmentId}/${place.variant}`,
  },
});
