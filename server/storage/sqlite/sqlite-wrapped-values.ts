import type { DatabaseSync } from 'node:sqlite';
import { SEALED_OBJECT_MARK } from '../../vault/sealed-label.ts';
import type {
  RowKey,
  StoredValue,
  ValueColumn,
  ValuePage,
  WrappedValues,
} from '../../vault/wrapped-values.ts';
import { prepareRead } from './read.ts';
import type { SqlValue, Statement } from './writer-protocol.ts';

/**
 * Columns that hold sealed fields, which the key of their consultation opens. They are by far the largest, and are not
 * looked through. Whatever other column holds bytes is, so that a new one cannot be forgotten.
 */
export const FIELD_COLUMNS: ReadonlySet<string> = new Set([
  'attachment.sealed',
  'consultation.sealed_request',
  'consultation.sealed_state',
  'entry.sealed',
  'note.sealed',
  'note_version.sealed',
  'phone_binding.sealed',
  'recording.sealed',
  'recording_file.sealed',
]);

/** Columns that the secret in `phone_key` opens, which is a value itself. */
export const NUMBER_COLUMNS: ReadonlySet<string> = new Set(['phone_number.sealed', 'phone_relay.sealed']);

/** Columns of bytes that are not sealed: hashes. */
export const OPEN_COLUMNS: ReadonlySet<string> = new Set(['audit.hash', 'invitation.code_hash']);

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Every column of bytes in the database, with what names its rows. */
export function byteColumns(db: DatabaseSync): ValueColumn[] {
  const rows = prepareRead(
    db,
    `SELECT m.name AS "table", p.name AS "column" FROM sqlite_schema m, pragma_table_info(m.name) p
      WHERE m.type = 'table' AND p.type = 'BLOB' ORDER BY m.name, p.cid`,
  ).all();
  const keysOf = prepareRead(db, 'SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk');
  return rows.map((row) => {
    const table = String(row['table']);
    const rowKey = keysOf.all(table).map(({ name }) => String(name));
    return { table, column: String(row['column']), rowKey: rowKey.length === 0 ? ['rowid'] : rowKey };
  });
}

export const columnName = ({ table, column }: ValueColumn): string => `${table}.${column}`;

/** Writes statements whole or not at all; the store's writer is one. */
export interface WritesStatements {
  write(statements: readonly Statement[]): Promise<readonly number[]>;
}

/** Sealed objects in the database, found by how they begin. */
export class SqliteWrappedValues implements WrappedValues {
  readonly #reader: DatabaseSync;
  readonly #writer: WritesStatements | null;
  readonly #columns: readonly ValueColumn[];

  /** @param writer null for commands that only read */
  constructor(writer: WritesStatements | null, reader: DatabaseSync) {
    this.#writer = writer;
    this.#reader = reader;
    this.#columns = byteColumns(reader).filter((column) => {
      const name = columnName(column);
      return !FIELD_COLUMNS.has(name) && !NUMBER_COLUMNS.has(name) && !OPEN_COLUMNS.has(name);
    });
  }

  columns(): readonly ValueColumn[] {
    return this.#columns;
  }

  page(
    column: ValueColumn,
    options: { readonly after: RowKey | null; readonly limit: number; readonly except?: readonly string[] },
  ): ValuePage {
    const { after, limit, except = [] } = options;
    const bytes = quoted(column.column);
    const key = column.rowKey.map(quoted).join(', ');
    const places = column.rowKey.map(() => '?').join(', ');
    const others = except.map(() => `AND instr(${bytes}, ?) = 0`).join(' ');
    // The mark is asked for in SQL, so that the bytes of what is something else are not carried here.
    const sql = `SELECT ${key}, CASE WHEN substr(${bytes}, 1, 3) = ? ${others} THEN ${bytes} END AS sealed_object
      FROM ${quoted(column.table)} ${after === null ? '' : `WHERE (${key}) > (${places})`}
      ORDER BY ${key} LIMIT ?`;
    const names = except.map((name) => Buffer.from(name, 'utf8'));
    const rows = prepareRead(this.#reader, sql).all(SEALED_OBJECT_MARK, ...names, ...(after ?? []), limit);
    const values: StoredValue[] = [];
    let last: RowKey | null = null;
    for (const row of rows) {
      last = column.rowKey.map((name) => row[name] as string | number);
      const sealed = row['sealed_object'];
      if (sealed instanceof Uint8Array) values.push({ row: last, sealed });
    }
    return { values, next: rows.length < limit ? null : last };
  }

  async replace(column: ValueColumn, { row, sealed }: StoredValue, by: Uint8Array): Promise<boolean> {
    if (this.#writer === null) throw new TypeError('This command only reads.');
    const bytes = quoted(column.column);
    const found = column.rowKey.map((name) => `${quoted(name)} = ?`).join(' AND ');
    const params: SqlValue[] = [by, ...row, sealed];
    const [changes] = await this.#writer.write([
      { sql: `UPDATE ${quoted(column.table)} SET ${bytes} = ? WHERE ${found} AND ${bytes} = ?`, params },
    ]);
    return changes === 1;
  }
}
