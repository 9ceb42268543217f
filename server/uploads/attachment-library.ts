import { Readable } from 'node:stream';
import {
  AppError,
  Attachment,
  type AttachmentId,
  type AttachmentStatus,
  type ConsultationId,
  isErrorCode,
  type PersonId,
} from '@teleconsult/protocol';
import { type AttachmentTools, processAttachment } from '../attachments/process-attachment.ts';
import type { ConsultationHost } from '../host/host.ts';
import type { AttachmentRecord, AttachmentStore, Clock, Log } from '../host/ports.ts';
import type { ObjectStore } from '../storage/objects/object-store.ts';
import type { SealedObject } from '../vault/sealed-object.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import type { Vault } from '../vault/vault.ts';
import type { UploadParts } from './upload-parts.ts';
import type { ReceivingFacts } from './upload-data-store.ts';

export type Variant = 'original' | 'thumbnail';

/** How long a status request waits for the processing it has begun, so that few have to ask twice. */
const STATUS_WAIT_MS = 3_000;
/** An upload that was not finished by then is given up. */
const STALE_UPLOAD_MS = 24 * 3_600_000;
const SWEEP_LIMIT = 100;

/** What is sealed of a finished attachment. */
interface ReadyFacts {
  readonly attachment: Attachment;
  readonly thumbnailType?: string;
}

interface RefusedFacts {
  readonly code: 'UNSUPPORTED_MEDIA' | 'TOO_LARGE' | 'INTERNAL';
  readonly detail: string;
}

export interface AttachmentLibraryParts {
  readonly host: ConsultationHost;
  readonly attachments: AttachmentStore;
  readonly parts: UploadParts;
  readonly objects: ObjectStore;
  readonly vault: Vault;
  readonly tools: AttachmentTools;
  readonly clock: Clock;
  readonly log: Log;
}

/** An opened attachment. Whoever opened it closes it. */
export interface OpenedAttachment extends AsyncDisposable {
  readonly attachment: Attachment;
  readonly contentType: string;
  readonly object: SealedObject;
}

/** Finished uploads: checks and converts them once, tells how they stand, and opens their bytes. */
export class AttachmentLibrary {
  readonly #parts: AttachmentLibraryParts;
  readonly #processing = new Map<AttachmentId, Promise<void>>();

  constructor(parts: AttachmentLibraryParts) {
    this.#parts = parts;
  }

  /** Begins the processing of a complete upload, or joins the one that runs. A crash loses nothing: asking begins it anew. */
  process(attachmentId: AttachmentId): Promise<void> {
    const running = this.#processing.get(attachmentId);
    if (running !== undefined) return running;
    const work = this.#process(attachmentId).finally(() => this.#processing.delete(attachmentId));
    this.#processing.set(attachmentId, work);
    return work;
  }

  async status(
    id: ConsultationId,
    attachmentId: AttachmentId,
    by: PersonId | null,
  ): Promise<AttachmentStatus> {
    let record = await this.#visible(id, attachmentId, by);
    if (record.status === 'receiving' && record.receivedBytes === record.byteSize) {
      await withinMs(this.process(attachmentId), STATUS_WAIT_MS);
      record = await this.#visible(id, attachmentId, by);
    }
    const { codec } = await this.#parts.host.sealing(id, by);
    switch (record.status) {
      case 'receiving': {
        const { receivedBytes, byteSize } = record;
        return { status: 'processing', attachmentId, receivedBytes, byteSize };
      }
      case 'ready':
        return {
          status: 'ready',
          attachmentId,
          attachment: (codec.openAttachment(attachmentId, record.sealed) as ReadyFacts).attachment,
        };
      case 'refused': {
        const { code, detail } = codec.openAttachment(attachmentId, record.sealed) as RefusedFacts;
        return { status: 'refused', attachmentId, code, detail };
      }
    }
  }

  /** The facts of an attachment that this person uploaded to this consultation and that is ready to be sent. */
  async sendable(id: ConsultationId, by: PersonId, attachmentId: AttachmentId): Promise<Attachment> {
    const record = await this.#visible(id, attachmentId, by);
    if (record.uploadedBy !== by) throw new AppError('NOT_FOUND');
    const status = await this.status(id, attachmentId, by);
    if (status.status === 'ready') return status.attachment;
    throw new AppError('ATTACHMENT_NOT_READY', { detail: status.status });
  }

  async open(
    id: ConsultationId,
    attachmentId: AttachmentId,
    options: { by: PersonId | null; variant: Variant },
  ): Promise<OpenedAttachment> {
    const status = await this.status(id, attachmentId, options.by);
    if (status.status !== 'ready') throw new AppError('ATTACHMENT_NOT_READY', { detail: status.status });
    const { attachment } = status;
    const { key, codec } = await this.#parts.host.sealing(id, options.by);
    const record = await this.#visible(id, attachmentId, options.by);
    const { thumbnailType } = codec.openAttachment(attachmentId, record.sealed) as ReadyFacts;
    const contentType = options.variant === 'original' ? attachment.contentType : thumbnailType;
    if (contentType === undefined) throw new AppError('NOT_FOUND', { detail: 'there is no such variant' });
    const source = await this.#parts.objects.open(objectKey(attachmentId, options.variant));
    try {
      const object = await this.#parts.vault.open(source, sealing(id, key, attachmentId, options.variant));
      return {
        attachment,
        object,
        contentType,
        [Symbol.asyncDispose]: () => source.close(),
      };
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  /** Gives up uploads that nobody finished. */
  async sweep(): Promise<void> {
    const { attachments, parts, clock, log } = this.#parts;
    for (const { attachmentId, receivedBytes, byteSize } of await attachments.staleAttachments(
      clock() - STALE_UPLOAD_MS,
      SWEEP_LIMIT,
    )) {
      if (receivedBytes === byteSize) continue;
      await attachments.removeAttachment(attachmentId);
      await parts.remove(attachmentId);
      log.info('upload.abandoned', { attachment: attachmentId });
    }
  }

  /** Waits for what is being processed. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#processing.values());
  }

  async #process(attachmentId: AttachmentId): Promise<void> {
    const { attachments, host, parts, tools, log } = this.#parts;
    const record = await attachments.loadAttachment(attachmentId);
    if (record === null || record.status !== 'receiving' || record.receivedBytes !== record.byteSize) return;
    const { consultationId, kind } = record;
    const { key, codec } = await host.sealing(consultationId, null);
    const { fileName, declaredType } = codec.openAttachment(attachmentId, record.sealed) as ReceivingFacts;
    const startedAt = performance.now();
    try {
      const bytes = parts.read({ consultationId, attachmentId, key }, record.parts);
      const processed = await processAttachment({ kind, bytes, fileName, declaredType }, tools);
      for (const variant of ['original', 'thumbnail'] as const) {
        const part = processed.parts[variant];
        if (part === undefined) continue;
        const sealed = this.#parts.vault.seal(
          Readable.from([part.bytes]),
          sealing(consultationId, key, attachmentId, variant),
        );
        await this.#parts.objects.put(objectKey(attachmentId, variant), sealed);
      }
      const facts: ReadyFacts = {
        attachment: Attachment.parse({ attachmentId, ...processed.attachment }),
        ...(processed.parts.thumbnail && { thumbnailType: processed.parts.thumbnail.contentType }),
      };
      await attachments.finishAttachment(attachmentId, 'ready', codec.sealAttachment(attachmentId, facts));
      log.info('attachment.ready', {
        attachment: attachmentId,
        ms: Math.round(performance.now() - startedAt),
      });
    } catch (error) {
      const refused = refusalOf(error);
      // What may pass, such as a full disk, leaves the upload as it is: the next question tries again.
      if (refused === null) throw error;
      await attachments.finishAttachment(
        attachmentId,
        'refused',
        codec.sealAttachment(attachmentId, refused),
      );
      log.info('attachment.refused', { attachment: attachmentId, code: refused.code });
    }
    await parts.remove(attachmentId);
  }

  async #visible(
    id: ConsultationId,
    attachmentId: AttachmentId,
    by: PersonId | null,
  ): Promise<AttachmentRecord> {
    await this.#parts.host.view(id, by);
    const record = await this.#parts.attachments.loadAttachment(attachmentId);
    if (record?.consultationId !== id) throw new AppError('NOT_FOUND');
    return record;
  }
}

const objectKey = (attachmentId: AttachmentId, variant: Variant): string =>
  `attachments/${attachmentId}/${variant}`;

const sealing = (
  consultation: ConsultationId,
  key: ConsultationKey,
  attachmentId: AttachmentId,
  variant: Variant,
) => ({ key, context: { consultation, purpose: 'attachment', object: `${attachmentId}/${variant}` } });

function refusalOf(error: unknown): RefusedFacts | null {
  if (!(error instanceof AppError) || !isErrorCode(error.code)) return null;
  if (error.code !== 'UNSUPPORTED_MEDIA' && error.code !== 'TOO_LARGE') return null;
  return { code: error.code, detail: error.detail ?? '' };
}

/** Resolves with the work or when the time is over, whichever is first; the work's failure is the caller's to see. */
async function withinMs(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  // When patience ends first, a later failure has no other listener.
  work.catch(() => undefined);
  try {
    await Promise.race([work, patience]);
  } finally {
    clearTimeout(timer);
  }
}
