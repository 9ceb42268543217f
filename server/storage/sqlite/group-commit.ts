import { toWriteFailure } from './sqlite-error.ts';
import type { SqlValue, Unit, UnitResult, WriteFailure } from './writer-protocol.ts';

/** What is needed of `DatabaseSync`. */
export interface WritableDatabase {
  readonly isTransaction: boolean;
  exec(sql: string): void;
  prepare(sql: string): { run(...params: SqlValue[]): { readonly changes: number | bigint } };
}

type Prepared = ReturnType<WritableDatabase['prepare']>;

const NEITHER_DONE_NOR_UNDONE: WriteFailure = { kind: 'broken', errcode: 0 };

/**
 * Writes many units in one transaction, so that they share one sync of the disk. A unit that cannot be written
 * (it breaks a uniqueness rule, or is a mistake) is undone alone; when the transaction fails, every unit of it has.
 */
export class GroupCommit {
  readonly #db: WritableDatabase;
  readonly #prepared = new Map<string, Prepared>();
  #broken: WriteFailure | null = null;

  constructor(db: WritableDatabase) {
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
      const failure = this.#rolledBack() ? toWriteFailure(error) : NEITHER_DONE_NOR_UNDONE;
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
      const failure = toWriteFailure(error);
      // A disk that is full or fails is nothing of this unit's own.
      if (failure.kind !== 'unique' && failure.kind !== 'bug') throw error;
      this.#db.exec('ROLLBACK TO unit; RELEASE unit');
      return { id, ok: false, failure };
    }
  }

  #prepare(sql: string): Prepared {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }

  #rolledBack(): boolean {
    try {
      // SQLite has rolled back by itself after the graver errors; asking again is then refused.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      return true;
    } catch {
      return false;
    }
  }
}

const failAll = (units: readonly Unit[], failure: WriteFailure): UnitResult[] =>
  units.map(({ id }) => ({ id, ok: false, failure }));
