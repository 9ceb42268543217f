import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openConnection } from '@teleconsult/server/storage/sqlite/connection';
import { migrate } from '@teleconsult/server/storage/sqlite/migrations';
import { SqliteStore } from '@teleconsult/server/storage/sqlite/sqlite-store';
import { expect, test } from 'vitest';
import { attachmentId, consultationId, person } from '../../contract/store.fixtures.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

/** A database as the first version made it. */
const FIRST_SCHEMA = `
  CREATE TABLE consultation (
    consultation_id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, wrapped_key BLOB NOT NULL,
    sealed_state BLOB NOT NULL, phase TEXT NOT NULL, in_call INTEGER NOT NULL, due_at INTEGER,
    idempotency_key TEXT UNIQUE
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX consultation_due ON consultation (due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX consultation_in_call ON consultation (consultation_id) WHERE in_call = 1;
  CREATE TABLE participant (
    person_id TEXT NOT NULL, created_at INTEGER NOT NULL,
    consultation_id TEXT NOT NULL REFERENCES consultation, role TEXT NOT NULL,
    PRIMARY KEY (person_id, created_at, consultation_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE entry (
    consultation_id TEXT NOT NULL REFERENCES consultation, sequence INTEGER NOT NULL, at INTEGER NOT NULL,
    by TEXT, kind TEXT NOT NULL, client_message_id TEXT, sealed BLOB NOT NULL,
    PRIMARY KEY (consultation_id, sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX entry_message ON entry (consultation_id, by, client_message_id)
    WHERE client_message_id IS NOT NULL;
  CREATE TABLE attachment (
    attachment_id TEXT PRIMARY KEY, consultation_id TEXT NOT NULL REFERENCES consultation,
    uploaded_by TEXT NOT NULL, kind TEXT NOT NULL, created_at INTEGER NOT NULL, byte_size INTEGER NOT NULL,
    received_bytes INTEGER NOT NULL, parts INTEGER NOT NULL, status TEXT NOT NULL, sealed BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX attachment_receiving ON attachment (created_at) WHERE status = 'receiving';
  CREATE INDEX attachment_open ON attachment (uploaded_by) WHERE status = 'receiving';
  PRAGMA user_version = 1;
`;

const KINDS = ['requested', 'waiting', 'accepted', 'ended'] as const;

/** Consultation `number` with one entry for each phase it went through, a minute apart. */
function insert(db: DatabaseSync, number: number, phases: readonly (typeof KINDS)[number][]): void {
  const id = consultationId(number);
  const last = phases.at(-1);
  const phase = last === 'accepted' ? 'active' : (last ?? 'requested');
  db.prepare(`INSERT INTO consultation VALUES (?, 1000, x'01', x'02', ?, 0, NULL, NULL)`).run(id, phase);
  for (const [name, role] of [
    [`patient-${number}`, 'patient'],
    ['bob', 'doctor'],
  ] as const)
    db.prepare('INSERT INTO participant VALUES (?, 1000, ?, ?)').run(name, id, role);
  for (const [index, kind] of phases.entries())
    db.prepare(`INSERT INTO entry VALUES (?, ?, ?, NULL, ?, NULL, x'03')`).run(
      id,
      index + 1,
      (index + 1) * 60_000,
      `consultation.${kind}`,
    );
}

test('[STO32] a database of the first version is upgraded with everything in it, and nothing old is news', async () => {
  await using dir = await tempDir();
  const path = join(dir.path, 'store.db');
  {
    using old = openConnection(path, { readOnly: false });
    old.exec(FIRST_SCHEMA);
    insert(old, 1, ['requested', 'waiting']);
    insert(old, 2, ['requested', 'waiting', 'accepted']);
    insert(old, 3, ['requested', 'waiting', 'accepted', 'ended']);
    insert(old, 4, ['requested', 'ended']);
    old
      .prepare(`INSERT INTO attachment VALUES (?, ?, 'bob', 'image', 1000, 5, 5, 1, 'ready', x'04')`)
      .run(attachmentId(1), consultationId(1));
  }
  const store = await SqliteStore.open(path);
  try {
    const bob = person('bob');
    expect(await store.listFor(bob, { limit: 10, createdBefore: null })).toHaveLength(4);
    expect(await store.load(consultationId(3))).toMatchObject({ lastSequence: 4, sealedRequest: null });
    expect(await store.page(consultationId(1), { after: 0, limit: 10 })).toMatchObject([
      { sequence: 1, withdrawn: null, withdrawnBy: null },
      { sequence: 2, withdrawn: null },
    ]);
    expect(await store.attachments.loadAttachment(attachmentId(1))).toMatchObject({ withdrawn: false });
    expect(await store.waitingFor(bob)).toEqual([
      { consultationId: consultationId(1), patientId: 'patient-1', since: 120_000 },
    ]);
    expect(await store.visitDurations(bob, 10)).toEqual([60_000]);
    expect(await store.behind(10)).toEqual([]);
    expect(await store.marks(consultationId(1))).toEqual([]);
    expect(await store.countUnread(consultationId(1), bob, 0)).toBe(0);
  } finally {
    await store.close();
  }
});

test('[STO32] an upgraded database has the schema of a new one', async () => {
  await using dir = await tempDir();
  using old = openConnection(join(dir.path, 'old.db'), { readOnly: false });
  old.exec(FIRST_SCHEMA);
  using fresh = openConnection(join(dir.path, 'fresh.db'), { readOnly: false });
  migrate(old);
  migrate(fresh);
  const schema = (db: DatabaseSync) =>
    db
      .prepare('SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name')
      .all()
      .map((row) => `${String(row['name'])}: ${String(row['sql']).replace(/\s+/g, ' ')}`);
  expect(schema(old).map((line) => line.replaceAll(/\( | \)/g, ''))).toEqual(
    schema(fresh).map((line) => line.replaceAll(/\( | \)/g, '')),
  );
});
