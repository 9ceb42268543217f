import { join } from 'node:path';
import { openConnection } from '@teleconsult/server/storage/sqlite/connection';
import { SqliteErasure } from '@teleconsult/server/storage/sqlite/sqlite-erasure';
import { SqliteNotes } from '@teleconsult/server/storage/sqlite/sqlite-notes';
import { SqliteRecordings } from '@teleconsult/server/storage/sqlite/sqlite-recordings';
import { SqliteStore } from '@teleconsult/server/storage/sqlite/sqlite-store';
import { Writer } from '@teleconsult/server/storage/sqlite/writer';
import { expect, test } from 'vitest';
import { tempDir } from '../../helpers/temp-dir.ts';

test('[S9] what is swept at the start and every hour is found by an index, however much there is', async () => {
  await using dir = await tempDir();
  const path = join(dir.path, 'store.db');
  await (await SqliteStore.open(path)).close();
  const writer = await Writer.open(path);
  const db = openConnection(path, { readOnly: true });
  try {
    const asked: string[] = [];
    const prepare = db.prepare.bind(db);
    db.prepare = (sql) => {
      asked.push(sql);
      return prepare(sql);
    };
    const recordings = new SqliteRecordings(writer, db);
    const notes = new SqliteNotes(writer, db);
    const erasure = new SqliteErasure(writer, db);
    const swept = [
      "state = 'running'",
      "state = 'growing'",
      'measured = 0',
      "'erased'",
      'announced',
      'length(',
    ];
    await Promise.all([
      recordings.runningRecordings(),
      recordings.growingFiles(),
      recordings.unmeasuredFiles(1),
      recordings.halfErased(1),
      notes.unannounced(),
      erasure.halfErased(),
    ]);
    const queries = asked.filter(
      (sql) => sql.startsWith('SELECT') && swept.some((part) => sql.includes(part)),
    );
    expect(queries).toHaveLength(swept.length);
    for (const sql of queries)
      for (const { detail } of prepare(`EXPLAIN QUERY PLAN ${sql}`).all(
        ...(sql.includes('LIMIT ?') ? [1] : []),
      ))
        expect(detail, sql).not.toMatch(/^SCAN \w+( EXISTS)?$/);
  } finally {
    db.close();
    await writer.close();
  }
});
