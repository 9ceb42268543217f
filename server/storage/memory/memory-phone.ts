import { DatabaseSync } from 'node:sqlite';
import { AppError } from '@teleconsult/protocol';
import { GroupCommit } from '../sqlite/group-commit.ts';
import { migrate } from '../sqlite/migrations.ts';
import { SqlitePhone } from '../sqlite/sqlite-phone.ts';
import { UniqueViolation } from '../sqlite/writer.ts';
import type { Statement } from '../sqlite/writer-protocol.ts';

/**
 * Masked calls in memory, gone with the process: for tests and for trying things out. Who has which relay number is
 * decided by uniqueness rules and by counting within one statement, so it is the same database, without a disk.
 */
export class MemoryPhone extends SqlitePhone {
  constructor() {
    const db = new DatabaseSync(':memory:');
    migrate(db);
    const commit = new GroupCommit(db);
    super({ write: async (statements) => writeTo(commit, statements) }, db);
  }
}

function writeTo(commit: GroupCommit, statements: readonly Statement[]): readonly number[] {
  const [result] = commit.write([{ id: 1, statements }]);
  if (result?.ok) return result.changes;
  if (result?.failure.kind === 'unique') throw new UniqueViolation(result.failure.constraint);
  if (result?.failure.kind === 'bug') throw new Error(result.failure.message);
  throw new AppError('STORAGE_UNAVAILABLE');
}
