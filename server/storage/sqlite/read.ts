import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { reading } from './sqlite-error.ts';
import type { SqlValue } from './writer-protocol.ts';

export type Row = ReturnType<StatementSync['all']>[number];

/** A prepared query. Where the database cannot be read it throws `STORAGE_UNAVAILABLE`. */
export interface Read {
  get(...params: SqlValue[]): Row | undefined;
  all(...params: SqlValue[]): Row[];
}

export function prepareRead(db: DatabaseSync, sql: string): Read {
  const statement = db.prepare(sql);
  return {
    get: (...params) => reading(() => statement.get(...params)),
    all: (...params) => reading(() => statement.all(...params)),
  };
}
