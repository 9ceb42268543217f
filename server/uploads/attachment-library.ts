import {
  AppError,
  type Attachment,
  type AttachmentId,
  type AttachmentStatus,
  type ConsultationId,
  type PersonId,
} from '@teleconsult/protocol';
import type { AttachmentRecord, Clock } from '../host/ports.ts';
import type { SealedObject } from '../vault/sealed-object.ts';
import {
  objectKey,
  type ReadyFacts,
  type RefusedFacts,
  sealing,
  type Variant,
} from './attachment-objects.ts';
import { UploadProcessing, type UploadProcessingParts } from './upload-processing.ts';

/** How long a status request waits for the processing it has begun, so that few have to ask twice. */
const STATUS_WAIT_MS = 3_000;
/** An upload that was not finished by then is given up. */
const STALE_UPLOAD_MS = 24 * 3_600_000;
const SWEEP_LIMIT = 100;

export interface AttachmentLibraryParts extends UploadProcessingParts {
  readonly clock: Clock;
}

/** An opened attachment. Whoever opened it closes it. */
export interface OpenedAttachment extends AsyncDisposable {
  readonly attachment: Attachment;
  readonly contentType: string;
  readonly object: SealedObject;
}

/** The attachments of consultations: has uploads processed, tells how they stand, and opens their bytes. */
export class AttachmentLibrary {
  readonly #parts: AttachmentLibraryParts;
  readonly #processing: UploadProcessing;
  readonly #closing = new AbortController();
  #leftoversCleared = false;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(parts: AttachmentLibraryParts) {
    this.#parts = parts;
    this.#processing = new UploadProcessing(parts);
  }

  /** Begins the processing of a complete upload, or joins the one that runs. A crash loses nothing: asking begins it anew. */
  process(attachmentId: AttachmentId): Promise<void> {
    return this.#processing.process(attachmentId);
  }

  /** Forgets an upload that its sender takes back. Throws `WRONG_STATE` when it has ended. */
  withdraw(attachmentId: AttachmentId): Promise<void> {
    return this.#processing.withdraw(attachmentId);
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
    const { by, variant } = options;
    const status = await this.status(id, attachmentId, by);
    if (status.status !== 'ready') throw new AppError('ATTACHMENT_NOT_READY', { detail: status.status });
    const { attachment } = status;
    const { key, codec } = await this.#parts.host.sealing(id, by);
    const record = await this.#visible(id, attachmentId, by);
    const { thumbnailType } = codec.openAttachment(attachmentId, record.sealed) as ReadyFacts;
    const contentType = variant === 'original' ? attachment.contentType : thumbnailType;
    if (contentType === undefined) throw new AppError('NOT_FOUND', { detail: 'there is no such variant' });
    const source = await this.#parts.objects.open(objectKey(attachmentId, variant));
    try {
      const place = { consultation: id, attachmentId, variant };
      const object = await this.#parts.vault.open(source, sealing(place, key));
      return { attachment, object, contentType, [Symbol.asyncDispose]: () => source.close() };
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  /** Gives up uploads that nobody finished; the first time, also clears what a crash has left. */
  sweep(): Promise<void> {
    this.#sweeping = this.#sweep();
    return this.#sweeping;
  }

  /** Waits for what is being processed or swept. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled([this.#sweeping]);
    await this.#processing.settled();
  }

  async #sweep(): Promise<void> {
    const { attachments, clock, log } = this.#parts;
    const { signal } = this.#closing;
    if (!this.#leftoversCleared) {
      await this.#processing.clearLeftovers(signal);
      this.#leftoversCleared = true;
    }
    for (const record of await attachments.staleAttachments(clock() - STALE_UPLOAD_MS, SWEEP_LIMIT)) {
      if (signal.aborted) return;
      try {
        await this.#processing.giveUp(record.attachmentId);
      } catch (error) {
        // One that cannot be removed must not keep the others.
        log.warn('sweep.failed', { attachment: record.attachmentId, error });
      }
    }
  }

  async #visible(
    id: ConsultationId,
    attachmentId: AttachmentId,
    by: PersonId | null,
  ): Promise<AttachmentRecord> {
    await this.#parts.host.view(id, by);
    const record = await this.#parts.attachments.loadAttachment(attachmentId);
    // What was sent with a message that was withdrawn since is there for nobody.
    if (record?.consultationId !== id || record.withdrawn) throw new AppError('NOT_FOUND');
    return record;
  }
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
