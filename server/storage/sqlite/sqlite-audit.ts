import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import { AppError, type ConsultationId, type DeviceId } from '@teleconsult/protocol';
import {
  type AuditRow,
  type AuditTail,
  type AuditVerdict,
  ChainWalk,
  chained,
  EMPTY_TAIL,
} from '../../audit/chain.ts';
import type { AuditRecord, AuditTrail } from '../../audit/ports.ts';
import { prepareRead, type Read, type Row } from './read.ts';
import { UniqueViolation, type Writer } from './writer.ts';

const INSERT = `INSERT INTO audit (number, at, who, device, action, consultation_id, object, result, hash)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Rows of one transaction; what comes meanwhile goes into the next. */
const MAX_BATCH = 500;
/** Rows on their way to the disk. Beyond it the disk cannot keep up, and what must be recorded does not happen. */
const MAX_WAITING = 10_000;
/** Rows that are verified at a time: the server goes on in between. */
const PAGE = 500;
/** How often a batch looks for the end of the trail anew because somebody else (a command) has written to it. */
const MAX_TRIES = 5;

interface Waiting {
  readonly record: AuditRecord;
  readonly written: PromiseWithResolvers<void>;
}

/** Reads a trail, also beside the server that writes it. */
export class SqliteAuditReading {
  readonly #last: Read;
  readonly #page: Read;

  constructor(reader: DatabaseSync) {
    this.#last = prepareRead(reader, 'SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1');
    this.#page = prepareRead(reader, 'SELECT * FROM audit WHERE number > ? ORDER BY number LIMIT ?');
  }

  /** Where the trail ends now. */
  async tail(): Promise<AuditTail> {
    const row = this.#last.get();
    if (row === undefined) return EMPTY_TAIL;
    return { number: Number(row['number']), hash: row['hash'] as Uint8Array };
  }

  /**
   * Walks the whole trail and finds what was edited, deleted or swapped.
   * @param anchor an earlier end of the trail that was kept elsewhere: finds what was cut off at the end
   */
  async verify(anchor: AuditTail | null = null): Promise<AuditVerdict> {
    const walk = new ChainWalk(anchor);
    for (let after = 0; ; after += PAGE) {
      const rows = this.#page.all(after, PAGE).map(toRow);
      for (const row of rows) {
        const verdict = walk.step(row);
        if (verdict !== null) return verdict;
      }
      if (rows.length < PAGE) return walk.end();
      await turn();
    }
  }
}

/**
 * The audit trail in the database. One batch is on its way at a time and is written whole or not at all, so that numbers
 * have no gaps and each row is chained to one that is there.
 */
export class SqliteAudit implements AuditTrail {
  readonly #writer: Writer;
  readonly #reading: SqliteAuditReading;
  #waiting: Waiting[] = [];
  #isWriting = false;
  /** The end of the trail; null when it has to be looked up. */
  #tail: AuditTail | null = null;

  constructor(writer: Writer, reader: DatabaseSync) {
    this.#writer = writer;
    this.#reading = new SqliteAuditReading(reader);
  }

  append(record: AuditRecord): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING) return Promise.reject(new AppError('STORAGE_UNAVAILABLE'));
    const written = Promise.withResolvers<void>();
    this.#waiting.push({ record, written });
    if (!this.#isWriting) void this.#writeAll();
    return written.promise;
  }

  tail(): Promise<AuditTail> {
    return this.#reading.tail();
  }

  verify(anchor: AuditTail | null = null): Promise<AuditVerdict> {
    return this.#reading.verify(anchor);
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      try {
        await this.#write(batch.map(({ record }) => record));
        for (const { written } of batch) written.resolve();
      } catch (error) {
        // What is there is not known any more: looked up before the next row.
        this.#tail = null;
        for (const { written } of batch) written.reject(toAppError(error));
      }
    }
    this.#isWriting = false;
  }

  async #write(records: readonly AuditRecord[]): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      let tail = this.#tail ?? (await this.tail());
      const statements = records.map((record) => {
        const row = chained(tail, record);
        tail = row;
        return { sql: INSERT, params: paramsOf(row) };
      });
      try {
        await this.#writer.write(statements);
        this.#tail = tail;
        return;
      } catch (error) {
        if (!(error instanceof UniqueViolation) || tries === MAX_TRIES) throw error;
        this.#tail = null;
      }
    }
  }
}

/** Callers are told that nothing was recorded, and can only try again. */
function toAppError(error: unknown): AppError {
  const isOwn = error instanceof AppError && ['STORAGE_FULL', 'STORAGE_UNAVAILABLE'].includes(error.code);
  return isOwn ? error : new AppError('STORAGE_UNAVAILABLE', { cause: error });
}

const paramsOf = (row: AuditRow) => [
  row.number,
  row.at,
  row.who,
  row.deviceId,
  row.action,
  row.consultationId,
  row.object,
  row.result,
  row.hash,
];

const toRow = (row: Row): AuditRow => ({
  number: Number(row['number']),
  at: Number(row['at']),
  who: row['who'] as AuditRow['who'],
  deviceId: row['device'] as DeviceId | null,
  action: String(row['action']),
  consultationId: row['consultation_id'] as ConsultationId | null,
  object: row['object'] as string | null,
  result: row['result'] as AuditRow['result'],
  hash: row['hash'] as Uint8Array,
});
