import { AsyncLocalStorage } from 'node:async_hooks';
import type { Readable } from 'node:stream';
import {
  AppError,
  AttachmentId,
  AttachmentKind,
  ConsultationId,
  MAX_UPLOAD_BYTES,
} from '@teleconsult/protocol';
import { DataStore, Upload } from '@tus/server';
import { z } from 'zod';
import type { ConsultationHost } from '../host/host.ts';
import type { AttachmentRecord, AttachmentStore, Clock } from '../host/ports.ts';
import { requireReach } from '../identity/access.ts';
import type { Caller } from '../identity/tokens.ts';
import { describe } from '../signalling/dispatch.ts';
import type { AttachmentLibrary } from './attachment-library.ts';
import type { ReceivingFacts } from './attachment-objects.ts';
import { PART_BYTES, type UploadParts, type UploadPlace } from './upload-parts.ts';

export type UploadCaller = Extract<Caller, { scope: 'participant' }>;

/** What the sender says of an upload (tus `Upload-Metadata`). The kind is checked against the bytes afterwards. */
const Metadata = z.object({
  consultationId: ConsultationId,
  kind: AttachmentKind,
  fileName: z.string().max(1024).nullish(),
  contentType: z.string().max(255).nullish(),
});

/** Uploads a person may have begun and not ended, and their announced bytes together: nobody fills the disk alone. */
const OPEN_UPLOADS = 50;
const OPEN_UPLOAD_BYTES = 500 * 1024 * 1024;

export interface UploadDataStoreParts {
  readonly host: ConsultationHost;
  readonly attachments: AttachmentStore;
  readonly parts: UploadParts;
  readonly library: Pick<AttachmentLibrary, 'withdraw'>;
  readonly clock: Clock;
}

/** A tus data store whose bytes are sealed as they arrive. An offset it has answered is on disk. */
export class UploadDataStore extends DataStore {
  /** Who makes the request that is being handled. */
  readonly caller = new AsyncLocalStorage<UploadCaller>();
  readonly #parts: UploadDataStoreParts;

  constructor(parts: UploadDataStoreParts) {
    super();
    this.#parts = parts;
    this.extensions = ['creation', 'creation-with-upload', 'termination'];
  }

  override async create(upload: Upload): Promise<Upload> {
    const caller = this.#caller();
    const metadata = Metadata.safeParse(upload.metadata ?? {});
    if (!metadata.success) throw new AppError('INVALID', { detail: describe(metadata.error) });
    const { consultationId, kind, fileName, contentType } = metadata.data;
    requireReach(caller, consultationId);
    const { host, attachments, clock } = this.#parts;
    const { kind: place, phase } = await host.view(consultationId, caller.personId);
    if (place === 'health_channel')
      throw new AppError('FORBIDDEN', { detail: 'a health channel has clips and nothing else' });
    if (phase === 'ended') throw new AppError('WRONG_STATE', { detail: 'the consultation has ended' });
    const byteSize = upload.size ?? 0;
    if (byteSize < 1) throw new AppError('INVALID', { detail: 'the upload is empty' });
    if (byteSize > MAX_UPLOAD_BYTES[kind])
      throw new AppError('TOO_LARGE', { detail: `at most ${MAX_UPLOAD_BYTES[kind]} bytes` });
    const open = await attachments.openUploads(caller.personId);
    if (open.count >= OPEN_UPLOADS || open.byteSize + byteSize > OPEN_UPLOAD_BYTES)
      throw new AppError('RATE_LIMITED', { detail: 'too many uploads are open; finish or withdraw one' });
    const attachmentId = AttachmentId.parse(upload.id);
    const { codec } = await host.sealing(consultationId, caller.personId);
    const facts: ReceivingFacts = { fileName: fileName ?? '', declaredType: contentType ?? '' };
    const createdAt = clock();
    await attachments.createAttachment({
      attachmentId,
      consultationId,
      uploadedBy: caller.personId,
      kind,
      createdAt,
      byteSize,
      receivedBytes: 0,
      parts: 0,
      status: 'receiving',
      withdrawn: false,
      sealed: codec.sealAttachment(attachmentId, facts),
    });
    return new Upload({ id: attachmentId, size: byteSize, offset: 0 });
  }

  override async getUpload(id: string): Promise<Upload> {
    const record = await this.#record(id);
    return new Upload({ id, size: record.byteSize, offset: record.receivedBytes });
  }

  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    const record = await this.#record(id);
    const { key } = await this.#parts.host.sealing(record.consultationId, record.uploadedBy);
    const place = { consultationId: record.consultationId, attachmentId: record.attachmentId, key };
    const progress = { received: offset, parts: record.parts };
    let waiting: Uint8Array[] = [];
    let waitingBytes = 0;
    const flush = async (): Promise<void> => {
      if (waitingBytes === 0) return;
      const bytes = Buffer.concat(waiting, waitingBytes);
      waiting = [];
      waitingBytes = 0;
      await this.#addPart(place, progress, bytes);
    };
    let failure =
      record.receivedBytes === offset ? null : new AppError('CONFLICT', { detail: 'the offset is another' });
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        // Read on all the same: who is still sending may never see an answer.
        if (failure !== null) continue;
        waiting.push(chunk);
        waitingBytes += chunk.byteLength;
        if (waitingBytes >= PART_BYTES) failure = await failureOf(flush());
      }
    } catch (error) {
      // The connection broke: what did arrive is kept, so that the sender goes on from there.
      if (failure === null) await flush();
      throw error;
    }
    if (failure !== null) throw failure;
    await flush();
    return progress.received;
  }

  override async remove(id: string): Promise<void> {
    const record = await this.#record(id);
    if (record.status !== 'receiving') throw new AppError('WRONG_STATE', { detail: 'the upload has ended' });
    await this.#parts.library.withdraw(record.attachmentId);
  }

  async #addPart(
    place: UploadPlace,
    progress: { received: number; parts: number },
    bytes: Uint8Array,
  ): Promise<void> {
    await this.#parts.parts.write(place, progress.parts, bytes);
    const to = progress.received + bytes.byteLength;
    if (!(await this.#parts.attachments.addPart(place.attachmentId, progress.received, to)))
      throw new AppError('CONFLICT', { detail: 'another request moved this upload on' });
    progress.received = to;
    progress.parts += 1;
  }

  /** The upload, if it is this person's; another's looks like none. */
  async #record(id: string): Promise<AttachmentRecord> {
    const { personId, onlyConsultation } = this.#caller();
    const parsed = AttachmentId.safeParse(id);
    const record = parsed.success ? await this.#parts.attachments.loadAttachment(parsed.data) : null;
    if (record?.uploadedBy !== personId || record.withdrawn) throw new AppError('NOT_FOUND');
    if (![null, record.consultationId].includes(onlyConsultation)) throw new AppError('NOT_FOUND');
    return record;
  }

  #caller(): UploadCaller {
    const caller = this.caller.getStore();
    if (caller === undefined) throw new AppError('UNAUTHENTICATED');
    return caller;
  }
}

async function failureOf(work: Promise<void>): Promise<AppError | null> {
  try {
    await work;
    return null;
  } catch (cause) {
    return cause instanceof AppError ? cause : new AppError('INTERNAL', { cause });
  }
}
