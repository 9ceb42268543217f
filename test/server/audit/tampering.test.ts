import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { runCommand } from '@teleconsult/server/commands/run';
import { SqliteStore } from '@teleconsult/server/storage/sqlite/sqlite-store';
import { expect, test } from 'vitest';
import { auditRecord } from '../../contract/audit.suite.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

const ROWS = 1_200;

/** A trail of many rows whose file somebody has a hand in. */
async function openTrail() {
  await using parts = new AsyncDisposableStack();
  const path = join(parts.use(await tempDir()).path, 'teleconsult.db');
  const store = parts.adopt(await SqliteStore.open(path), (opened) => opened.close());
  await Promise.all(Array.from({ length: ROWS }, (_, index) => store.audit.append(auditRecord(index + 1))));
  const owned = parts.move();
  return {
    audit: store.audit,
    /** As somebody does who has the file and knows SQL. */
    tamper: (sql: string) => {
      using db = new DatabaseSync(path);
      db.exec(`DROP TRIGGER IF EXISTS audit_unchanged; DROP TRIGGER IF EXISTS audit_kept; ${sql}`);
    },
    path,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test.for([
  ['a time', 'UPDATE audit SET at = at + 1 WHERE number = 700', 700],
  ['a person', `UPDATE audit SET who = 'eve' WHERE number = 2`, 2],
  ['a device', 'UPDATE audit SET device = NULL WHERE number = 700', 700],
  ['an action', `UPDATE audit SET action = 'recording.list' WHERE number = 700`, 700],
  ['a consultation', `UPDATE audit SET consultation_id = 'cns' WHERE number = 700`, 700],
  ['an object', `UPDATE audit SET object = 'fil_1' WHERE number = 1200`, 1200],
  ['a result', `UPDATE audit SET result = 'refused' WHERE number = 1`, 1],
  ['a hash', `UPDATE audit SET hash = zeroblob(32) WHERE number = 1200`, 1200],
] as const)('[AUD4] an edit of %s is found in its row', async ([, sql, number]) => {
  await using trail = await openTrail();
  expect(await trail.audit.verify()).toMatchObject({ sound: true, tail: { number: ROWS } });
  trail.tamper(sql);
  expect(await trail.audit.verify()).toEqual({ sound: false, number, what: 'changed' });
});

test('[AUD4] a row that was taken out is found, also when those behind it were numbered anew', async () => {
  await using trail = await openTrail();
  trail.tamper('DELETE FROM audit WHERE number = 600');
  expect(await trail.audit.verify()).toEqual({ sound: false, number: 600, what: 'missing' });
  trail.tamper(
    'UPDATE audit SET number = -(number - 1) WHERE number > 600; UPDATE audit SET number = -number WHERE number < 0',
  );
  expect(await trail.audit.verify()).toEqual({ sound: false, number: 600, what: 'changed' });
});

test('[AUD4] rows that changed places are found', async () => {
  await using trail = await openTrail();
  trail.tamper(
    'UPDATE audit SET number = -1 WHERE number = 10; UPDATE audit SET number = 10 WHERE number = 11; UPDATE audit SET number = 11 WHERE number = -1',
  );
  expect(await trail.audit.verify()).toEqual({ sound: false, number: 10, what: 'changed' });
});

test('[AUD3] rows that were cut off at the end are found by who kept where the trail ended', async () => {
  await using trail = await openTrail();
  const anchor = await trail.audit.tail();
  trail.tamper(`DELETE FROM audit WHERE number > ${ROWS - 5}`);
  expect(await trail.audit.verify(anchor)).toEqual({ sound: false, number: ROWS - 4, what: 'cut' });
});

test('[AUD5] the database refuses to change or delete a row', async () => {
  await using trail = await openTrail();
  using db = new DatabaseSync(trail.path);
  expect(() => db.exec(`UPDATE audit SET who = 'eve' WHERE number = 1`)).toThrow('append-only');
  expect(() => db.exec('DELETE FROM audit WHERE number = 1')).toThrow('append-only');
});

test('[AUD6] two writers of one trail do not break its chain', async () => {
  await using trail = await openTrail();
  await using parts = new AsyncDisposableStack();
  const other = parts.adopt(await SqliteStore.open(trail.path), (opened) => opened.close());
  await other.audit.append(auditRecord(1));
  await trail.audit.append(auditRecord(2));
  await other.audit.append(auditRecord(3));
  expect(await trail.audit.verify()).toMatchObject({ sound: true, tail: { number: ROWS + 3 } });
});

test('[AUD7] the operator verifies the trail beside the running server, and finds what was cut off since', async () => {
  await using trail = await openTrail();
  const verify = async (...options: readonly string[]): Promise<{ code: number; said: string }> => {
    const lines: string[] = [];
    const code = await runCommand(['audit', 'verify', ...options], {
      dataFolder: dirname(trail.path),
      kms: null,
      objectPlaces: { first: { kind: 'disk', dir: null }, second: null },
      say: (line) => lines.push(line),
      now: Date.now,
    });
    return { code, said: lines.join(' ') };
  };
  const sound = await verify();
  expect(sound.code).toBe(0);
  const anchor = /ends at (\d+:[0-9a-f]{64})$/.exec(sound.said)?.[1] ?? '';
  expect(await verify('--anchor', anchor)).toMatchObject({ code: 0 });
  trail.tamper(`DELETE FROM audit WHERE number > ${ROWS - 5}`);
  expect(await verify()).toMatchObject({ code: 0 });
  expect(await verify('--anchor', anchor)).toEqual({
    code: 1,
    said: `NOT sound: row ${ROWS - 4} and those behind it were cut off`,
  });
  expect((await verify('--anchor', 'nonsense')).code).toBe(64);
});
