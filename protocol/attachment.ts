import { z } from 'zod';
import { AttachmentId } from './ids.ts';
import { VOICE_PEAK_COUNT } from './limits.ts';

export const DisplayName = z.string().trim().min(1).max(80);

export const AttachmentKind = z.enum(['image', 'voice', 'file']);
export type AttachmentKind = z.infer<typeof AttachmentKind>;

/** What is known of a finished attachment. Widths and heights are pixels, sizes bytes, durations milliseconds. */
export const Attachment = z.discriminatedUnion('kind', [
  z.strictObject({
    attachmentId: AttachmentId,
    kind: z.literal('image'),
    contentType: z.string(),
    byteSize: z.int().min(1),
    width: z.int().min(1),
    height: z.int().min(1),
    /** Thumbhash of the picture, base64: a blurred placeholder of about 25 bytes. */
    thumbhash: z.string().max(64),
  }),
  z.strictObject({
    attachmentId: AttachmentId,
    kind: z.literal('voice'),
    contentType: z.string(),
    byteSize: z.int().min(1),
    durationMs: z.int().min(1),
    /** Loudness over time, 0 to 100. */
    peaks: z.array(z.int().min(0).max(100)).max(VOICE_PEAK_COUNT),
  }),
  z.strictObject({
    attachmentId: AttachmentId,
    kind: z.literal('file'),
    contentType: z.string(),
    byteSize: z.int().min(1),
    fileName: z.string().max(255),
  }),
]);
export type Attachment = z.infer<typeof Attachment>;

/** `processing` until the whole upload has arrived, was checked and is sealed; then `ready` or `refused`. */
export const AttachmentStatus = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('processing'),
    attachmentId: AttachmentId,
    receivedBytes: z.int(),
    byteSize: z.int(),
  }),
  z.strictObject({ status: z.literal('ready'), attachmentId: AttachmentId, attachment: Attachment }),
  z.strictObject({
    status: z.literal('refused'),
    attachmentId: AttachmentId,
    code: z.enum(['UNSUPPORTED_MEDIA', 'TOO_LARGE', 'INTERNAL']),
    detail: z.string(),
  }),
]);
export type AttachmentStatus = z.infer<typeof AttachmentStatus>;
