import type { DatabaseSync } from 'node:sqlite';
import type { ClientMessageId, ConsultationId, EntryKind, PersonId } from '@teleconsult/protocol';
import type {
  AppendResult,
  Commit,
  ConsultationStore,
  CreateResult,
  NewConsultation,
  StateIndex,
  StoredConsultation,
  StoredEntry,
} from '../../host/ports.ts';
import { openConnection } from './connection.ts';
import { makeDatabaseFile } from './database-file.ts';
import { prepareRead, type Row } from './read.ts';
import { SqliteAttachments } from './sqlite-attachments.ts';
import { SqliteInvitations } from './sqlite-invitations.ts';
import { SqlitePeople } from './sqlite-people.ts';
import { UniqueViolation, Writer } from './writer.ts';
import type { SqlValue, Statement } from './writer-protocol.ts';

const INSERT_ENTRY = `INSERT INTO entry (consultation_id, sequence, at, by, kind, client_message_id, sealed)
  VALUES (?, ?, ?, ?, ?, ?, ?)`;
const ENTRY = 'SELECT sequence, at, by, kind, client_message_id, sealed FROM entry';

/** The embedded store: one file, one writing thread with group commit, one reading connection. */
export class SqliteStore implements ConsultationStore {
  readonly attachments: SqliteAttachments;
  readonly people: SqlitePeople;
  readonly invitations: SqliteInvitations;
  readonly #writer: Writer;
  readonly #reader: DatabaseSync;
  readonly #reads: ReturnType<typeof prepareReads>;
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
    this.attachments = new SqliteAttachments(writer, reader);
    this.people = new SqlitePeople(writer, reader);
    this.invitations = new SqliteInvitations(writer, reader);
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
    const { consultationId, createdAt, wrappedKey, sealedState, index, idempotencyKey } = consultation;
    const existing = this.#byIdempotencyKey(idempotencyKey);
    if (existing !== null) return existing;
    try {
      await this.#writer.write([
        {
          sql: `INSERT INTO consultation
            (consultation_id, created_at, wrapped_key, sealed_state, phase, in_call, due_at, idempotency_key)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
          params: [consultationId, createdAt, wrappedKey, sealedState, ...indexValues(index), idempotencyKey],
        },
        ...consultation.participants.map(({ personId, role }) => ({
          sql: 'INSERT INTO participant (person_id, created_at, consultation_id, role) VALUES (?, ?, ?, ?)',
          params: [personId, createdAt, consultationId, role],
        })),
        ...consultation.entries.map((entry) => insertEntry(consultationId, entry)),
      ]);
      return { kind: 'created' };
    } catch (error) {
      // Two requests with the same key at once: the second finds the first one's consultation.
      const winner = error instanceof UniqueViolation ? this.#byIdempotencyKey(idempotencyKey) : null;
      if (winner === null) throw error;
      return winner;
    }
  }

  async load(consultationId: ConsultationId): Promise<StoredConsultation | null> {
    const row = this.#reads.load.get(consultationId);
    if (row === undefined) return null;
    return {
      consultationId,
      createdAt: Number(row['created_at']),
      wrappedKey: row['wrapped_key'] as Uint8Array,
      sealedState: row['sealed_state'] as Uint8Array,
      lastSequence: Number(row['sequence'] ?? 0),
      lastAt: Number(row['at'] ?? 0),
    };
  }

  async append({ consultationId, entries, state }: Commit): Promise<AppendResult> {
    const statements = entries.map((entry) => insertEntry(consultationId, entry));
    if (state !== null)
      statements.push({
        sql: `UPDATE consultation SET sealed_state = ?, phase = ?, in_call = ?, due_at = ? WHERE consultation_id = ?`,
        params: [state.sealed, ...indexValues(state.index), consultationId],
      });
    try {
      await this.#writer.write(statements);
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
  ): Promise<readonly StoredEntry[]> {
    return 'after' in range
      ? this.#reads.after.all(consultationId, range.after, range.limit).map(toEntry)
      : this.#reads.before.all(consultationId, range.before, range.limit).map(toEntry).reverse();
  }

  async findMessage(
    consultationId: ConsultationId,
    by: PersonId,
    clientMessageId: ClientMessageId,
  ): Promise<StoredEntry | null> {
    const row = this.#reads.message.get(consultationId, by, clientMessageId);
    return row === undefined ? null : toEntry(row);
  }

  async listFor(
    personId: PersonId,
    page: { readonly limit: number; readonly createdBefore: number | null },
  ): Promise<readonly ConsultationId[]> {
    const before = page.createdBefore ?? Number.MAX_SAFE_INTEGER;
    return ids(this.#reads.listFor.all(personId, before, personId, before, page.limit));
  }

  async due(now: number, limit: number): Promise<readonly ConsultationId[]> {
    return ids(this.#reads.due.all(now, limit));
  }

  async inCall(): Promise<readonly ConsultationId[]> {
    return ids(this.#reads.inCall.all());
  }

  async #close(): Promise<void> {
    await this.#writer.finish();
    // The last connection to close empties the log, and only one that may write can.
    this.#reader.close();
    await this.#writer.close();
  }

  #byIdempotencyKey(key: string | null): Extract<CreateResult, { kind: 'exists' }> | null {
    const [consultationId] = key === null ? [] : ids(this.#reads.byIdempotencyKey.all(key));
    return consultationId === undefined ? null : { kind: 'exists', consultationId };
  }
}

const prepareReads = (db: DatabaseSync) => ({
  load: prepareRead(
    db,
    `SELECT c.created_at, c.wrapped_key, c.sealed_state, e.sequence, e.at
    FROM consultation c LEFT JOIN entry e ON e.consultation_id = c.consultation_id
    WHERE c.consultation_id = ? ORDER BY e.sequence DESC LIMIT 1`,
  ),
  after: prepareRead(db, `${ENTRY} WHERE consultation_id = ? AND sequence > ? ORDER BY sequence LIMIT ?`),
  before: prepareRead(
    db,
    `${ENTRY} WHERE consultation_id = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?`,
  ),
  message: prepareRead(db, `${ENTRY} WHERE consultation_id = ? AND by = ? AND client_message_id = ?`),
  // A page ends where a moment does: `created_at < ?` of the next page would otherwise skip who shares it.
  listFor: prepareRead(
    db,
    `SELECT consultation_id FROM participant WHERE person_id = ? AND created_at < ? AND created_at >= coalesce(
      (SELECT created_at FROM participant WHERE person_id = ? AND created_at < ?
        ORDER BY created_at DESC LIMIT 1 OFFSET ? - 1), 0)
    ORDER BY created_at DESC, consultation_id`,
  ),
  due: prepareRead(db, 'SELECT consultation_id FROM consultation WHERE due_at <= ? ORDER BY due_at LIMIT ?'),
  inCall: prepareRead(db, 'SELECT consultation_id FROM consultation WHERE in_call = 1'),
  byIdempotencyKey: prepareRead(db, 'SELECT consultation_id FROM consultation WHERE idempotency_key = ?'),
});

const insertEntry = (consultationId: ConsultationId, entry: StoredEntry): Statement => ({
  sql: INSERT_ENTRY,
  params: [
    consultationId,
    entry.sequence,
    entry.at,
    entry.by,
    entry.kind,
    entry.clientMessageId,
    entry.sealed,
  ],
});

const indexValues = ({ phase, inCall, dueAt }: StateIndex): SqlValue[] => [phase, inCall ? 1 : 0, dueAt];

const ids = (rows: readonly Row[]): ConsultationId[] =>
  rows.map((row) => row['consultation_id'] as ConsultationId);

const toEntry = (row: Row): StoredEntry => ({
  sequence: Number(row['sequence']),
  at: Number(row['at']),
  by: row['by'] as PersonId | null,
  kind: row['kind'] as EntryKind,
  clientMessageId: row['client_message_id'] as ClientMessageId | null,
  sealed: row['sealed'] as Uint8Array,
});
