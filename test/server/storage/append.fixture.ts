/**
 * A program that appends to a store in the folder it is given and says of each commit how it went:
 * `one-by-one` five commits, `at-once` 300 of them, `careless` five by a connection that does not sync.
 */
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '@teleconsult/protocol';
import { SqliteStore } from '@teleconsult/server/storage/sqlite/sqlite-store';
import { consultationId, fact, newConsultation } from '../../contract/store.fixtures.ts';

const [, , folder = '', way] = argv;
const said = openSync(join(folder, 'said'), 'w');
/** A system call of this moment: strace sees it among the syncs. */
const say = (line: string): void => void writeSync(said, `${line}\n`);

if (way === 'careless') careless();
else await careful(way === 'at-once' ? 300 : 5);

async function careful(commits: number): Promise<void> {
  const store = await SqliteStore.open(join(folder, 'store.db'));
  await store.create(newConsultation(1));
  say('begin');
  const append = async (sequence: number): Promise<void> => {
    const outcome = await store
      .append({ consultationId: consultationId(1), entries: [fact(sequence)], state: null })
      .catch((error: unknown) => (error instanceof AppError ? error.code : String(error)));
    say(`${outcome} ${sequence}${store.alive ? '' : ' dead'}`);
  };
  if (commits > 5) await Promise.all(Array.from({ length: commits }, (_, index) => append(index + 2)));
  else for (let sequence = 2; sequence < 2 + commits; sequence += 1) await append(sequence);
  say('end');
  await store.close();
}

function careless(): void {
  using db = new DatabaseSync(join(folder, 'store.db'));
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE t (a)');
  say('begin');
  for (let sequence = 2; sequence < 7; sequence += 1) {
    db.exec(`INSERT INTO t VALUES (${sequence})`);
    say(`committed ${sequence}`);
  }
  say('end');
}
