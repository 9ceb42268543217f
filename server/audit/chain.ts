import { createHash } from 'node:crypto';
import type { AuditRecord } from './ports.ts';

/** A row as it is kept: numbered without gaps from 1, chained to the one before it. */
export interface AuditRow extends AuditRecord {
  readonly number: number;
  readonly hash: Uint8Array;
}

/** Where a trail ends. Kept outside of the database it tells of rows that were cut off at the end. */
export type AuditTail = Pick<AuditRow, 'number' | 'hash'>;

export type AuditVerdict =
  | { readonly sound: true; readonly tail: AuditTail }
  /** `missing`: a number is not there. `changed`: this row, or one before it, is not what was written. `cut`: rows are gone from the end. */
  | { readonly sound: false; readonly number: number; readonly what: 'missing' | 'changed' | 'cut' };

/** What the first row is chained to. */
export const EMPTY_TAIL: AuditTail = {
  number: 0,
  hash: createHash('sha256').update('teleconsult audit 1').digest(),
};

/**
 * SHA-256 over the hash before it and every column. A JSON array is a canonical form of numbers, texts and null: no two
 * rows that differ have the same.
 */
export function hashOf(before: Uint8Array, row: Omit<AuditRow, 'hash'>): Buffer {
  const { number, at, who, deviceId, action, consultationId, object, result } = row;
  return createHash('sha256')
    .update(before)
    .update(JSON.stringify([number, at, who, deviceId, action, consultationId, object, result]))
    .digest();
}

/** The row that follows. */
export function chained(tail: AuditTail, record: AuditRecord): AuditRow {
  const number = tail.number + 1;
  return { ...record, number, hash: hashOf(tail.hash, { ...record, number }) };
}

/** Goes along a trail, row by row. */
export class ChainWalk {
  #tail: AuditTail = EMPTY_TAIL;
  readonly #anchor: AuditTail | null;

  /** @param anchor an earlier end of this trail that was kept elsewhere: it must be met again */
  constructor(anchor: AuditTail | null) {
    this.#anchor = anchor;
  }

  /** What is wrong with the next row; null: nothing. */
  step(row: AuditRow): AuditVerdict | null {
    const number = this.#tail.number + 1;
    if (row.number !== number) return { sound: false, number, what: 'missing' };
    const isRight = same(hashOf(this.#tail.hash, row), row.hash);
    const isAnchored = this.#anchor?.number !== number || same(this.#anchor.hash, row.hash);
    if (!isRight || !isAnchored) return { sound: false, number, what: 'changed' };
    this.#tail = { number, hash: row.hash };
    return null;
  }

  end(): AuditVerdict {
    const { number } = this.#tail;
    if (this.#anchor !== null && this.#anchor.number > number)
      return { sound: false, number: number + 1, what: 'cut' };
    return { sound: true, tail: this.#tail };
  }
}

const same = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;
