import { AppError } from '@teleconsult/protocol';
import {
  type AuditRow,
  type AuditTail,
  type AuditVerdict,
  ChainWalk,
  chained,
  EMPTY_TAIL,
} from '../../audit/chain.ts';
import type { AuditRecord, AuditTrail } from '../../audit/ports.ts';

/** An audit trail in memory, gone with the process: for tests and for trying things out. */
export class MemoryAudit implements AuditTrail {
  readonly #rows: AuditRow[] = [];
  #failing: 'STORAGE_FULL' | 'STORAGE_UNAVAILABLE' | null = null;

  /** Everything that was recorded, in order. */
  get rows(): readonly AuditRow[] {
    return this.#rows;
  }

  /** Makes every append fail from now on; null: they succeed again. */
  fail(code: 'STORAGE_FULL' | 'STORAGE_UNAVAILABLE' | null): void {
    this.#failing = code;
  }

  async append(record: AuditRecord): Promise<void> {
    if (this.#failing !== null) throw new AppError(this.#failing);
    this.#rows.push(chained(this.#end(), structuredClone(record)));
  }

  async tail(): Promise<AuditTail> {
    const { number, hash } = this.#end();
    return { number, hash };
  }

  async verify(anchor: AuditTail | null = null): Promise<AuditVerdict> {
    const walk = new ChainWalk(anchor);
    for (const row of this.#rows) {
      const verdict = walk.step(row);
      if (verdict !== null) return verdict;
    }
    return walk.end();
  }

  #end(): AuditTail {
    return this.#rows.at(-1) ?? EMPTY_TAIL;
  }
}
