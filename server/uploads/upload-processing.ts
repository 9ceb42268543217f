import { Readable } from 'node:stream';
import { AppError, Attachment, type AttachmentId } from '@teleconsult/protocol';
import {
  type AttachmentTools,
  type ProcessedAttachment,
  processAttachment,
} from '../attachments/process-attachment.ts';
import type { ConsultationHost } from '../host/host.ts';
import type { AttachmentRecord, AttachmentStore, Log } from '../host/ports.ts';
import type { ObjectStore } from '../storage/objects/object-store.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import type { Vault } from '../vault/vault.ts';
import {
  objectKey,
  type ReadyFacts,
  type ReceivingFacts,
  type RefusedFacts,
  sealing,
  storedAttachments,
  VARIANTS,
} from './attachment-objects.ts';
import type { UploadParts } from './upload-parts.ts';

export interface UploadProcessingParts {
  readonly host: ConsultationHost;
  readonly attachments: AttachmentStore;
  readonly parts: UploadParts;
  readonly objects: ObjectStore;
  readonly vault: Vault;
  readonly tools: AttachmentTools;
  readonly log: Log;
}

/** Brings complete uploads to their end, each by one task alone: they become attachments or are refused. */
export class UploadProcessing {
  readonly #parts: UploadProcessingParts;
  readonly #busy = new Map<AttachmentId, Promise<void>>();

  constructor(parts: UploadProcessingParts) {
    this.#parts = parts;
  }

  /** Begins the processing of a complete upload, or joins the one that runs. A crash loses nothing: asking begins it anew. */
  process(attachmentId: AttachmentId): Promise<void> {
    return this.#alone(attachmentId, () => this.#process(attachmentId));
  }

  /** Forgets an upload. A complete one has one more chance: it may have waited for a tool or for space. */
  giveUp(attachmentId: AttachmentId): Promise<void> {
    return this.#alone(attachmentId, () => this.#giveUp(attachmentId));
  }

  /**
   * Forgets an upload that its sender takes back, once what runs for it has ended; its row then says whether there
   * is anything to take back. Throws `WRONG_STATE` when it has become an attachment or was refused.
   */
  async withdraw(attachmentId: AttachmentId): Promise<void> {
    await this.#busy.get(attachmentId)?.catch(() => undefined);
    const record = await this.#parts.attachments.loadAttachment(attachmentId);
    if (record === null || !(await this.#forget(record)))
      throw new AppError('WRONG_STATE', { detail: 'the upload has ended' });
  }

  /** Removes parts of uploads that have ended, and attachments of uploads that are gone: a crash came in between. */
  async clearLeftovers(signal: AbortSignal): Promise<void> {
    const { attachments, parts, objects } = this.#parts;
    for await (const { attachmentId, objectKey: key } of parts.stored()) {
      if (signal.aborted) return;
      const record = await attachments.loadAttachment(attachmentId);
      if (record?.status !== 'receiving') await objects.delete(key);
    }
    for await (const { attachmentId, key } of storedAttachments(objects)) {
      if (signal.aborted) return;
      if ((await attachments.loadAttachment(attachmentId)) === null) await objects.delete(key);
    }
  }

  /** Resolves when all that runs has ended, however it did. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#busy.values());
  }

  #alone(attachmentId: AttachmentId, task: () => Promise<void>): Promise<void> {
    const running = this.#busy.get(attachmentId);
    if (running !== undefined) return running;
    const work = task().finally(() => this.#busy.delete(attachmentId));
    this.#busy.set(attachmentId, work);
    return work;
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
      const place = { consultationId, attachmentId, key };
      const bytes = exactly(record.byteSize, parts.read(place, record.parts));
      const processed = await processAttachment({ kind, bytes, fileName, declaredType }, tools);
      await this.#put(processed, record, key);
      const facts: ReadyFacts = {
        attachment: Attachment.parse({ attachmentId, ...processed.attachment }),
        ...(processed.parts.thumbnail && { thumbnailType: processed.parts.thumbnail.contentType }),
      };
      const sealed = codec.sealAttachment(attachmentId, facts);
      if (await attachments.finishAttachment(attachmentId, 'ready', sealed)) {
        const ms = Math.round(performance.now() - startedAt);
        log.info('attachment.ready', { attachment: attachmentId, ms });
      } else if ((await attachments.loadAttachment(attachmentId)) === null) {
        // Its sender has withdrawn it meanwhile.
        await this.#removeObjects(attachmentId);
      }
    } catch (error) {
      const refused = refusalOf(error);
      // What may pass, such as a full disk, leaves the upload as it is: the next question tries again.
      if (refused === null) throw error;
      const sealed = codec.sealAttachment(attachmentId, refused);
      await attachments.finishAttachment(attachmentId, 'refused', sealed);
      log.info('attachment.refused', { attachment: attachmentId, code: refused.code });
    }
    await parts.remove(attachmentId, record.parts);
  }

  async #put(
    { parts }: ProcessedAttachment,
    { consultationId: consultation, attachmentId }: AttachmentRecord,
    key: ConsultationKey,
  ): Promise<void> {
    const { vault, objects } = this.#parts;
    for (const variant of VARIANTS) {
      const part = parts[variant];
      if (part === undefined) continue;
      const place = { consultation, attachmentId, variant };
      const sealed = vault.seal(Readable.from([part.bytes]), sealing(place, key));
      await objects.put(objectKey(attachmentId, variant), sealed);
    }
  }

  /** The upload is looked at anew: since it was listed it may have moved on, become ready and been sent. */
  async #giveUp(attachmentId: AttachmentId): Promise<void> {
    const { attachments, log } = this.#parts;
    const record = await attachments.loadAttachment(attachmentId);
    if (record?.status !== 'receiving') return;
    if (record.receivedBytes === record.byteSize)
      try {
        await this.#process(attachmentId);
        return;
      } catch (error) {
        log.warn('attachment.failed', { attachment: attachmentId, error });
      }
    if (await this.#forget(record)) log.info('upload.abandoned', { attachment: attachmentId });
  }

  /** The row goes first: only who removed it may remove the bytes. A crash in between leaves what the next start clears. */
  async #forget({ attachmentId, receivedBytes, parts: count }: AttachmentRecord): Promise<boolean> {
    const { attachments, parts } = this.#parts;
    if (!(await attachments.removeAttachment(attachmentId, receivedBytes))) return false;
    await this.#removeObjects(attachmentId);
    await parts.remove(attachmentId, count);
    return true;
  }

  async #removeObjects(attachmentId: AttachmentId): Promise<void> {
    for (const variant of VARIANTS) await this.#parts.objects.delete(objectKey(attachmentId, variant));
  }
}

function refusalOf(error: unknown): RefusedFacts | null {
  if (!(error instanceof AppError)) return null;
  const { code, detail = '' } = error;
  return code === 'UNSUPPORTED_MEDIA' || code === 'TOO_LARGE' ? { code, detail } : null;
}

/** Passes bytes on, and fails where they are not as many as were announced. */
async function* exactly(byteSize: number, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let passed = 0;
  for await (const chunk of bytes) {
    passed += chunk.byteLength;
    yield chunk;
  }
  if (passed !== byteSize)
    throw new AppError('INTEGRITY', { cause: new Error('The parts do not add up to the upload.') });
}
