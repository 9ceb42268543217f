import { type Attachment, type AttachmentKind, MAX_UPLOAD_BYTES } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import { checkFile } from './file.ts';
import { createGate, type Gate } from './gate.ts';
import { type PictureTools, processPicture } from './picture.ts';
import { refuse, refuseSize } from './refusal.ts';
import { processVoice, type VoiceTools } from './voice.ts';

type WithoutId<T> = T extends unknown ? Omit<T, 'attachmentId'> : never;

/** What is known of an attachment, but for its id. */
export type AttachmentFacts = WithoutId<Attachment>;

export interface AttachmentPart {
  readonly bytes: Buffer;
  readonly contentType: string;
}

/** What is to be sealed and kept of an upload. The upload itself is not. */
export interface ProcessedAttachment {
  readonly attachment: AttachmentFacts;
  readonly parts: {
    readonly original: AttachmentPart;
    /** Pictures only. */
    readonly thumbnail?: AttachmentPart;
  };
}

export interface AttachmentUpload {
  readonly kind: AttachmentKind;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** As the sender's device calls it. Of pictures and voice messages nothing is kept of it. */
  readonly fileName: string;
  /** The media type that the sender declared. Believed in nothing but telling CSV from other text. */
  readonly declaredType: string;
}

/** What the processing needs from outside, made once for a server. */
export interface AttachmentTools extends PictureTools, VoiceTools {
  /** Bounds how many uploads are in memory and in child processes at once. */
  readonly gate: Gate;
}

export interface AttachmentToolsOptions {
  readonly nodePath: string;
  readonly ffmpegPath: string | null;
  readonly prlimitPath: string | null;
  /** Uploads processed at once; 2 unless told. Each may take 250 MB and a core for a second. */
  readonly concurrency?: number;
  readonly onPictureDone?: (grownBytes: number) => void;
  readonly signal?: AbortSignal;
}

export function createAttachmentTools(options: AttachmentToolsOptions): AttachmentTools {
  const { concurrency = 2, ...tools } = options;
  return { ...tools, gate: createGate(concurrency) };
}

/**
 * Checks an upload and makes of it what others will see: pictures and voice messages anew, files byte by byte.
 * Waits until it is its turn before it reads a byte. Writes nothing to any disk.
 * @throws AppError UNSUPPORTED_MEDIA, TOO_LARGE: a final refusal, with a reason for people as `detail`
 * @throws AppError MEDIA_UNAVAILABLE, SHUTTING_DOWN: the upload may be fine, try later
 */
export function processAttachment(
  upload: AttachmentUpload,
  tools: AttachmentTools,
): Promise<ProcessedAttachment> {
  return tools.gate.run(async () => {
    const bytes = await collect(upload);
    switch (upload.kind) {
      case 'image':
        return picture(bytes, tools);
      case 'voice':
        return voice(bytes, tools);
      case 'file':
        return file(bytes, upload);
      default:
        return unreachable(upload.kind);
    }
  });
}

async function collect({ kind, bytes }: AttachmentUpload): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let byteSize = 0;
  for await (const chunk of bytes) {
    byteSize += chunk.byteLength;
    if (byteSize > MAX_UPLOAD_BYTES[kind])
      throw refuseSize(`The limit is ${MAX_UPLOAD_BYTES[kind] / (1024 * 1024)} MB.`);
    chunks.push(chunk);
  }
  if (byteSize === 0) throw refuse('The file is empty.');
  return Buffer.concat(chunks, byteSize);
}

async function picture(bytes: Buffer, tools: AttachmentTools): Promise<ProcessedAttachment> {
  const { original, thumbnail, contentType, thumbnailContentType, width, height, thumbhash } =
    await processPicture(bytes, tools);
  return {
    attachment: { kind: 'image', contentType, byteSize: original.byteLength, width, height, thumbhash },
    parts: {
      original: { bytes: original, contentType },
      thumbnail: { bytes: thumbnail, contentType: thumbnailContentType },
    },
  };
}

async function voice(upload: Buffer, tools: AttachmentTools): Promise<ProcessedAttachment> {
  const { bytes, contentType, durationMs, peaks } = await processVoice(upload, tools);
  return {
    attachment: { kind: 'voice', contentType, byteSize: bytes.byteLength, durationMs, peaks },
    parts: { original: { bytes, contentType } },
  };
}

async function file(
  bytes: Buffer,
  { fileName, declaredType }: AttachmentUpload,
): Promise<ProcessedAttachment> {
  const checked = await checkFile({ bytes, fileName, declaredType });
  return {
    attachment: { kind: 'file', byteSize: bytes.byteLength, ...checked },
    parts: { original: { bytes, contentType: checked.contentType } },
  };
}
