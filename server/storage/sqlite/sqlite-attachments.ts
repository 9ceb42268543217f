import type { DatabaseSync } from 'node:sqlite';
import type { AttachmentId, AttachmentKind, ConsultationId, PersonId } from '@teleconsult/protocol';
import type { AttachmentRecord, AttachmentRecordStatus, AttachmentStore } from '../../host/ports.ts';
import { prepareRead, type Read, type Row } from './read.ts';
import type { Writer } from './writer.ts';

/** Uploads and what became of them. Progress is moved by compare-and-set, so two requests cannot both advance it. */
export class SqliteAttachments implements AttachmentStore {
  readonly #writer: Writer;
  readonly #load: Read;
  readonly #stale: Read;
  readonly #open: Read;

  constructor(writer: Writer, reader: DatabaseSync) {
    this.#writer = writer;
    this.#load = prepareRead(reader, 'SELECT * FROM attachment WHERE attachment_id = ?');
    this.#stale = prepareRead(
      reader,
      `SELECT * FROM attachment WHERE status = 'receiving' AND created_at < ? ORDER BY created_at LIMIT ?`,
    );
    this.#open = prepareRead(
      reader,
      `SELECT count(*) AS count, total(byte_size) AS byte_size FROM attachment
        WHERE uploaded_by = ? AND status = 'receiving'`,
    );
  }

  async createAttachment(record: AttachmentRecord): Promise<void> {
    await this.#writer.write([
      {
        sql: `INSERT INTO attachment (attachment_id, consultation_id, uploaded_by, kind, created_at, byte_size,
          received_bytes, parts, status, withdrawn, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        params: [
          record.attachmentId,
          record.consultationId,
          record.uploadedBy,
          record.kind,
          record.createdAt,
          record.byteSize,
          record.receivedBytes,
          record.parts,
          record.status,
          record.withdrawn ? 1 : 0,
          record.sealed,
        ],
      },
    ]);
  }

  async loadAttachment(attachmentId: AttachmentId): Promise<AttachmentRecord | null> {
    const row = this.#load.get(attachmentId);
    return row === undefined ? null : toRecord(row);
  }

  async addPart(attachmentId: AttachmentId, fromBytes: number, toBytes: number): Promise<boolean> {
    return this.#changedOne(
      `UPDATE attachment SET received_bytes = ?, parts = parts + 1
        WHERE attachment_id = ? AND received_bytes = ? AND status = 'receiving'`,
      [toBytes, attachmentId, fromBytes],
    );
  }

  async finishAttachment(
    attachmentId: AttachmentId,
    status: Exclude<AttachmentRecordStatus, 'receiving'>,
    sealed: Uint8Array,
  ): Promise<boolean> {
    return this.#changedOne(
      `UPDATE attachment SET status = ?, sealed = ? WHERE attachment_id = ? AND status = 'receiving'`,
      [status, sealed, attachmentId],
    );
  }

  async staleAttachments(createdBefore: number, limit: number): Promise<readonly AttachmentRecord[]> {
    return this.#stale.all(createdBefore, limit).map(toRecord);
  }

  async removeAttachment(attachmentId: AttachmentId, receivedBytes: number): Promise<boolean> {
    return this.#changedOne(
      `DELETE FROM attachment WHERE attachment_id = ? AND received_bytes = ? AND status = 'receiving'`,
      [attachmentId, receivedBytes],
    );
  }

  async openUploads(uploadedBy: PersonId): Promise<{ count: number; byteSize: number }> {
    const row = this.#open.get(uploadedBy);
    return { count: Number(row?.['count'] ?? 0), byteSize: Number(row?.['byte_size'] ?? 0) };
  }

  async #changedOne(sql: string, params: (string | number | Uint8Array)[]): Promise<boolean> {
    const [changes] = await this.#writer.write([{ sql, params }]);
    return changes === 1;
  }
}

const toRecord = (row: Row): AttachmentRecord => ({
  attachmentId: row['attachment_id'] as AttachmentId,
  consultationId: row['consultation_id'] as ConsultationId,
  uploadedBy: row['uploaded_by'] as PersonId,
  kind: row['kind'] as AttachmentKind,
  createdAt: Number(row['created_at']),
  byteSize: Number(row['byte_size']),
  receivedBytes: Number(row['received_bytes']),
  parts: Number(row['parts']),
  status: row['status'] as AttachmentRecordStatus,
  withdrawn: row['withdrawn'] === 1,
  sealed: row['sealed'] as Uint8Array,
});
