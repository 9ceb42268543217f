import type { DatabaseSync } from 'node:sqlite';
import type { ConsultationId, PersonId } from '@teleconsult/protocol';
import type { StoredMarks } from '../../host/ports.ts';
import { prepareRead, type Read, type Row } from './read.ts';
import type { Writer } from './writer.ts';

const UPSERT = `INSERT INTO mark (consultation_id, person_id, delivered, read) VALUES (?, ?, ?, ?)
  ON CONFLICT (consultation_id, person_id) DO UPDATE
    SET delivered = max(delivered, excluded.delivered), read = max(read, excluded.read)`;

/** How far people have received and read, and what they have not. Marks rise in the database itself. */
export class SqliteReading {
  readonly #writer: Writer;
  readonly #all: Read;
  readonly #one: Read;
  readonly #unread: Read;

  constructor(writer: Writer, reader: DatabaseSync) {
    this.#writer = writer;
    const marks = 'SELECT person_id, delivered, read FROM mark WHERE consultation_id = ?';
    this.#all = prepareRead(reader, `${marks} ORDER BY person_id`);
    this.#one = prepareRead(reader, `${marks} AND person_id = ?`);
    this.#unread = prepareRead(
      reader,
      `SELECT count(*) AS unread FROM entry WHERE consultation_id = ? AND sequence > ? AND sequence <= ?
        AND kind = 'message.sent' AND by IS NOT ? AND withdrawn IS NULL`,
    );
  }

  async marks(consultationId: ConsultationId): Promise<readonly StoredMarks[]> {
    return this.#all.all(consultationId).map(toMarks);
  }

  async raise(consultationId: ConsultationId, marks: StoredMarks): Promise<StoredMarks> {
    const { personId, delivered, read } = marks;
    await this.#writer.write([{ sql: UPSERT, params: [consultationId, personId, delivered, read] }]);
    const row = this.#one.get(consultationId, personId);
    return row === undefined ? marks : toMarks(row);
  }

  async countUnread(
    consultationId: ConsultationId,
    personId: PersonId,
    range: { readonly after: number; readonly upTo: number },
  ): Promise<number> {
    const row = this.#unread.get(consultationId, range.after, range.upTo, personId);
    return Number(row?.['unread'] ?? 0);
  }
}

const toMarks = (row: Row): StoredMarks => ({
  personId: row['person_id'] as PersonId,
  delivered: Number(row['delivered']),
  read: Number(row['read']),
});
