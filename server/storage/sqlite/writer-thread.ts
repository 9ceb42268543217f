/** The thread that writes: it alone holds a writing connection, and the server's event loop never waits for a disk. */
import type { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { openConnection } from './connection.ts';
import { GroupCommit } from './group-commit.ts';
import { migrate } from './migrations.ts';
import type { FromWriter, ToWriter, Unit } from './writer-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('This file runs as a worker thread.');
const say = (message: FromWriter): void => port.postMessage(message);

try {
  const db = openMigrated(String(workerData));
  const commit = new GroupCommit(db);
  let waiting: Unit[] = [];
  port.on('message', (message: ToWriter) => {
    if (message.type === 'close') {
      db.close();
      port.close();
      return;
    }
    if (waiting.length === 0)
      setImmediate(() => {
        // All that arrived while the last transaction was being synced goes into the next one.
        const units = waiting;
        waiting = [];
        say({ type: 'results', results: commit.write(units) });
      });
    waiting.push(...message.units);
  });
  say({ type: 'ready' });
} catch (error) {
  say({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
}

/** A database that is refused is let go of before anybody hears of it. */
function openMigrated(path: string): DatabaseSync {
  const db = openConnection(path, { readOnly: false });
  try {
    migrate(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
