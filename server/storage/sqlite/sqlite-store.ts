import type { DatabaseSync } from 'node:sqlite';
import type { ClientMessageId, ConsultationId, EntryKind, PersonId } from '@teleconsult/protocol';
import type {
  AppendResult,
  Commit,
  ConsultationStore,
  CreateResult,
  NewConsultation,
  ReadEntry,
  StoredConsultation,
  StoredMarks,
  WaitingPatient,
} from '../../host/ports.ts';
import { openConnection } from './connection.ts';
import { makeDatabaseFile } from './database-file.ts';
import { prepareRead, type Row } from './read.ts';
import { SqliteAttachments } from './sqlite-attachments.ts';
import { SqliteAudit } from './sqlite-audit.ts';
import { SqliteErasure } from './sqlite-erasure.ts';
import { ids, SqliteFinding } from './sqlite-finding.ts';
import { SqliteInvitations } from './sqlite-invitations.ts';
import { SqliteNotes } from './sqlite-notes.ts';
import { SqlitePeople } from './sqlite-people.ts';
import { SqlitePhone } from './sqlite-phone.ts';
import { SqliteReading } from './sqlite-reading.ts';
import { SqliteRecordings } from './sqlite-recordings.ts';
import { statementsToAppend, statementsToCreate } from './sqlite-statements.ts';
import { SqliteWrappedValues } from './sqlite-wrapped-values.ts';
import { UniqueViolation, Writer } from './writer.ts';

const ENTRY = 'SELECT sequence, at, by, kind, client_message_id, sealed, withdrawn, withdrawn_by FROM entry';

/** The embedded store: one file, one writing thread with group commit, one reading connection. */
export class SqliteStore implements ConsultationStore {
  readonly attachments: SqliteAttachments;
  readonly audit: SqliteAudit;
  readonly people: SqlitePeople;
  readonly invitations: SqliteInvitations;
  readonly wrappedValues: SqliteWrappedValues;
  readonly erasure: SqliteErasure;
  readonly notes: SqliteNotes;
  readonly phone: SqlitePhone;
  readonly recordings: SqliteRecordings;
  readonly #writer: Writer;
  readonly #reader: DatabaseSync;
  readonly #reads: ReturnType<typeof prepareReads>;
  readonly #reading: SqliteReading;
  readonly #finding: SqliteFinding;
  #closing: Promise<void> | null = null;

  /** Opens a database, making it (for its owner alone) when there is none. */
  static async open(path: string): Promise<SqliteStore> {
    await makeDatabaseFile(path);
    const writer = await Writer.open(path);
    try {
      return new SqliteStore(writer, openConnection(path, { readOnly: true }));
    } catch (error) {
      await writer.close();
      throw error;
    }
  }

  private constructor(writer: Writer, reader: DatabaseSync) {
    this.#writer = writer;
    this.#reader = reader;
    this.#reads = prepareReads(reader);
    this.#reading = new SqliteReading(writer, reader);
    this.#finding = new SqliteFinding(reader);
    this.attachments = new SqliteAttachments(writer, reader);
    this.audit = new SqliteAudit(writer, reader);
    this.people = new SqlitePeople(writer, reader);
    this.recordings = new SqliteRecordings(writer, reader);
    this.invitations = new SqliteInvitations(writer, reader);
    this.wrappedValues = new SqliteWrappedValues(writer, reader);
    this.erasure = new SqliteErasure(writer, reader);
    this.notes = new SqliteNotes(writer, reader);
    this.phone = new SqlitePhone(writer, reader);
  }

  /** Whether the store can be written. */
  get alive(): boolean {
    return this.#writer.alive;
  }

  /** Waits for the writes that were begun and refuses others. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async create(consultation: NewConsultation): Promise<CreateResult> {
    const existing = this.#existing(consultation);
    if (existing !== null) return existing;
    try {
      await this.#writer.write(statementsToCreate(consultation));
      return { kind: 'created' };
    } catch (error) {
      // Two requests for the same at once: the second finds the first one's consultation.
      const winner = error instanceof UniqueViolation ? this.#existing(consultation) : null;
      if (winner === null) throw error;
      return winner;
    }
  }

  openChannelOf(personId: PersonId): Promise<ConsultationId | null> {
    return this.#finding.openChannelOf(personId);
  }

  async load(consultationId: ConsultationId): Promise<StoredConsultation | null> {
    const row = this.#reads.load.get(consultationId);
    if (row === undefined) return null;
    return {
      consultationId,
      createdAt: Number(row['created_at']),
      wrappedKey: row['wrapped_key'] as Uint8Array,
      sealedState: row['sealed_state'] as Uint8Array,
      sealedRequest: row['sealed_request'] as Uint8Array | null,
      lastSequence: Number(row['sequence'] ?? 0),
      lastAt: Number(row['at'] ?? 0),
    };
  }

  async append(commit: Commit): Promise<AppendResult> {
    try {
      await this.#writer.write(statementsToAppend(commit));
      return 'committed';
    } catch (error) {
      if (!(error instanceof UniqueViolation)) throw error;
      return error.constraint.includes('client_message_id') ? 'duplicate_message' : 'stale';
    }
  }

  async page(
    consultationId: ConsultationId,
    range:
      | { readonly after: number; readonly limit: number }
      | { readonly before: number; readonly limit: number },
  ): Promise<readonly ReadEntry[]> {
    return 'after' in range
      ? this.#reads.after.all(consultationId, range.after, range.limit).map(toEntry)
      : this.#reads.before.all(consultationId, range.before, range.limit).map(toEntry).reverse();
  }

  async findMessage(
    consultationId: ConsultationId,
    by: PersonId,
    clientMessageId: ClientMessageId,
  ): Promise<ReadEntry | null> {
    const row = this.#reads.message.get(consultationId, by, clientMessageId);
    return row === undefined ? null : toEntry(row);
  }

  marks(consultationId: ConsultationId): Promise<readonly StoredMarks[]> {
    return this.#reading.marks(consultationId);
  }

  raiseMarks(consultationId: ConsultationId, marks: StoredMarks): Promise<StoredMarks> {
    return this.#reading.raise(consultationId, marks);
  }

  countUnread(
    consultationId: ConsultationId,
    personId: PersonId,
    after: number,
    upTo = Number.MAX_SAFE_INTEGER,
  ): Promise<number> {
    return this.#reading.countUnread(consultationId, personId, { after, upTo });
  }

  waitingFor(doctorId: PersonId): Promise<readonly WaitingPatient[]> {
    return this.#finding.waitingFor(doctorId);
  }

  visitDurations(doctorId: PersonId, limit: number): Promise<readonly number[]> {
    return this.#finding.visitDurations(doctorId, limit);
  }

  behind(limit: number): Promise<readonly ConsultationId[]> {
    return this.#finding.behind(limit);
  }

  notifiedUpTo(consultationId: ConsultationId): Promise<number> {
    return this.#finding.notifiedUpTo(consultationId);
  }

  async markNotified(consultationId: ConsultationId, upTo: number): Promise<void> {
    await this.#writer.write([
      {
        sql: 'UPDATE consultation SET notified_up_to = max(notified_up_to, ?) WHERE consultation_id = ?',
        params: [upTo, consultationId],
      },
    ]);
  }

  listFor(
    personId: PersonId,
    page: { readonly limit: number; readonly createdBefore: number | null },
  ): Promise<readonly ConsultationId[]> {
    return this.#finding.listFor(personId, page);
  }

  due(now: number, limit: number): Promise<readonly ConsultationId[]> {
    return this.#finding.due(now, limit);
  }

  inCall(): Promise<readonly ConsultationId[]> {
    return this.#finding.inCall();
  }

  async #close(): Promise<void> {
    await this.#writer.finish();
    // The last connection to close empties the log, and only one that may write can.
    this.#reader.close();
    await this.#writer.close();
  }

  /** What is there already of what is to be made. */
  #existing({ idempotencyKey: key, channelOf = null }: NewConsultation) {
    const [asked] = key === null ? [] : ids(this.#reads.byIdempotencyKey.all(key));
    const consultationId = asked ?? (channelOf === null ? null : this.#finding.openChannel(channelOf));
    return consultationId === null ? null : ({ kind: 'exists', consultationId } as const);
  }
}

const prepareReads = (db: DatabaseSync) => ({
  load: prepareRead(
    db,
    `SELECT c.created_at, c.wrapped_key, c.sealed_state, c.sealed_request, e.sequence, e.at
    FROM consultation c LEFT JOIN entry e ON e.consultation_id = c.consultation_id
    WHERE c.consultation_id = ? ORDER BY e.sequence DESC LIMIT 1`,
  ),
  after: prepareRead(db, `${ENTRY} WHERE consultation_id = ? AND sequence > ? ORDER BY sequence LIMIT ?`),
  before: prepareRead(
    db,
    `${ENTRY} WHERE consultation_id = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?`,
  ),
  message: prepareRead(db, `${ENTRY} WHERE consultation_id = ? AND by = ? AND client_message_id = ?`),
  byIdempotencyKey: prepareRead(db, 'SELECT consultation_id FROM consultation WHERE idempotency_key = ?'),
});

const toEntry = (row: Row): ReadEntry => ({
  sequence: Number(row['sequence']),
  at: Number(row['at']),
  by: row['by'] as PersonId | null,
  kind: row['kind'] as EntryKind,
  clientMessageId: row['client_message_id'] as ClientMessageId | null,
  sealed: row['sealed'] as Uint8Array,
  withdrawn: row['withdrawn'] as ReadEntry['withdrawn'],
  withdrawnBy: row['withdrawn_by'] as number | null,
});
