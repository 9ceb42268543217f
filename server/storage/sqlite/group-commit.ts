import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Unit, UnitResult, WriteFailure } from './writer-protocol.ts';

/** SQLite primary result codes (https://sqlite.org/rescode.html). */
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CONSTRAINT = 19;
const SQLITE_NOTADB = 26;

/**
 * Writes many units in one transaction, so that they share one sync of the disk. A unit that breaks a
 * constraint is undone alone; when the transaction fails, every unit of it has failed.
 */
export class GroupCommit {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();
  #broken: WriteFailure | null = null;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  write(units: readonly Unit[]): readonly UnitResult[] {
    // After an I/O error a second sync may report success for pages the kernel has dropped (fsyncgate).
    if (this.#broken !== null) return failAll(units, this.#broken);
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      const results = units.map((unit) => this.#writeUnit(unit));
      this.#db.exec('COMMIT');
      return results;
    } catch (error) {
      this.#rollback();
      const failure = describe(error);
      if (failure.kind === 'broken') this.#broken = failure;
      return failAll(units, failure);
    }
  }

  #writeUnit({ id, statements }: Unit): UnitResult {
    this.#db.exec('SAVEPOINT unit');
    try {
      const changes = statements.map(({ sql, params }) => Number(this.#prepare(sql).run(...params).changes));
      this.#db.exec('RELEASE unit');
      return { id, ok: true, changes };
    } catch (error) {
      const failure = describe(error);
      if (failure.kind !== 'unique') throw error;
      this.#db.exec('ROLLBACK TO unit; RELEASE unit');
      return { id, ok: false, failure };
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }

  #rollback(): void {
    // SQLite has rolled back by itself after the graver errors; asking again is then refused.
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
  }
}

const failAll = (units: readonly Unit[], failure: WriteFailure): UnitResult[] =>
  units.map(({ id }) => ({ id, ok: false, failure }));

function describe(error: unknown): WriteFailure {
  if (!(error instanceof Error)) return { kind: 'bug', message: 'unknown' };
  const errcode = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0;
  switch (errcode & 0xff) {
    case SQLITE_FULL:
      return { kind: 'full' };
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return { kind: 'broken', errcode };
    case SQLITE_CONSTRAINT:
      return error.message.startsWith('UNIQUE')
        ? { kind: 'unique', constraint: error.message }
        : { kind: 'bug', message: error.message };
    default:
      return { kind: 'bug', message: error.message };
  }
}
