import { copyFile, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ConsultationId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { keyArchiveIn } from '../../../server/backup/layout.ts';
import { eventually } from '../../helpers/eventually.ts';
import { freePort, type ServerProcess, startServerProcess } from '../../helpers/server-process.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { DrillVisit, missingFrom, readThread } from './drill-visit.ts';
import { operate } from './operate.ts';

/** Brings the copy of the key file, kept apart, to a restored folder, as the operator is told to. */
async function bringKeys(from: string, to: string): Promise<void> {
  await mkdir(join(to, 'keys'), { mode: 0o700 });
  for (const name of ['vault-keys.json', 'push-keys.json'])
    await copyFile(join(from, 'keys', name), join(to, 'keys', name));
}

const start = async (dataDir: string): Promise<ServerProcess> =>
  startServerProcess({ dataDir, port: await freePort() });

/** Writes until it is told to stop; answers what was acknowledged before `mark` was called. */
function writesOn(visit: DrillVisit) {
  let goesOn = true;
  let marked: number | null = null;
  const writing = (async () => {
    for (let number = 0; goesOn; number += 1) await visit.say(`written meanwhile ${number}`);
  })();
  return {
    mark: () => {
      marked = visit.acknowledged.texts.length;
    },
    acknowledgedBefore: () => ({
      ...visit.acknowledged,
      texts: visit.acknowledged.texts.slice(0, marked ?? 0),
    }),
    async [Symbol.asyncDispose]() {
      goesOn = false;
      await writing;
    },
  };
}

/** Bytes of files below a folder, by path. */
async function bytesBelow(folder: string): Promise<Buffer> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Buffer.concat(await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name)))));
}

function wrappedKeyIn(dataDir: string, id: ConsultationId): Buffer {
  const db = new DatabaseSync(join(dataDir, 'teleconsult.db'), { readOnly: true });
  try {
    const row = db.prepare('SELECT wrapped_key FROM consultation WHERE consultation_id = ?').get(id);
    return Buffer.from((row?.['wrapped_key'] as Uint8Array | undefined) ?? []);
  } finally {
    db.close();
  }
}

test('[E9] [BKP1] the restore drill: all that was acknowledged before the backup reads back, and what was erased does not', async () => {
  await using dir = await tempDir();
  const dataDir = join(dir.path, 'data');
  const backups = join(dir.path, 'backups');
  let server = await start(dataDir);
  await using stop = new AsyncDisposableStack();
  stop.defer(() => server.kill());

  await using kept = await DrillVisit.begin(server.origin);
  await using erased = await DrillVisit.begin(server.origin);
  for (const visit of [kept, erased]) {
    await visit.say('the pain began on Monday');
    await visit.sendFile('CANARY-FILE blood pressure 140/90');
  }
  const erasedKey = wrappedKeyIn(dataDir, erased.acknowledged.consultationId);
  expect(erasedKey.byteLength).toBeGreaterThan(300);

  // A backup while somebody writes, in which both can be read.
  let before: ReturnType<ReturnType<typeof writesOn>['acknowledgedBefore']>;
  {
    await using writing = writesOn(kept);
    await eventually('some of it to be written', () => kept.acknowledged.texts.length > 20);
    writing.mark();
    const first = await operate(dataDir, 'backup', backups);
    expect(first).toMatchObject({ code: 0 });
    before = writing.acknowledgedBefore();
  }
  const [firstArchive = ''] = await readdir(join(backups, 'archives'));
  // Neither the key file nor a wrapped key is in the archive; the keys are in one file, which the next backup replaces.
  const keyFile = JSON.parse(await readFile(join(dataDir, 'keys', 'vault-keys.json'), 'utf8'));
  const everything = await bytesBelow(backups);
  for (const { material } of keyFile.keys) {
    expect(everything.includes(material)).toBe(false);
    expect(everything.includes(Buffer.from(material, 'base64'))).toBe(false);
  }
  expect((await bytesBelow(join(backups, 'archives'))).includes(erasedKey.subarray(-60))).toBe(false);
  expect((await readFile(keyArchiveIn(backups))).includes(erasedKey.subarray(-60))).toBe(true);
  expect(everything.includes('CANARY-FILE')).toBe(false);

  await server.kill();
  const erasing = await operate(dataDir, 'vault', 'shred', erased.acknowledged.consultationId);
  expect(erasing).toMatchObject({ code: 0 });
  expect((await bytesBelow(dataDir)).includes(erasedKey.subarray(-60))).toBe(false);
  server = await start(dataDir);
  expect(await readThread(server.origin, erased.acknowledged.consultationId)).toBeNull();
  expect(await missingFrom(server.origin, before)).toEqual([]);
  const second = await operate(dataDir, 'backup', backups);
  expect(second.said).toContain('out of the earlier archives too');
  expect((await bytesBelow(backups)).includes(erasedKey.subarray(-60))).toBe(false);

  // The newest archive, and the one from before the erasure: neither brings it back.
  for (const [name, args] of [
    ['newest', []],
    ['first', ['--at', firstArchive]],
  ] as const) {
    const target = join(dir.path, name);
    expect(await operate(dataDir, 'restore', backups, ...args, target)).toMatchObject({ code: 0 });
    await bringKeys(dataDir, target);
    const verified = await operate(target, 'vault', 'verify');
    expect(verified.said).toContain('everything opens');
    expect(verified.code).toBe(0);
    await using restored = await start(target);
    expect(await missingFrom(restored.origin, before)).toEqual([]);
    expect(await readThread(restored.origin, erased.acknowledged.consultationId)).toBeNull();
    expect((await bytesBelow(target)).includes(erasedKey.subarray(-60))).toBe(false);
  }
}, 120_000);

test('[E9 sabotage] with the keys of an earlier backup the same drill brings the erased consultation back', async () => {
  await using dir = await tempDir();
  const dataDir = join(dir.path, 'data');
  const backups = join(dir.path, 'backups');
  let erasedId: ConsultationId;
  {
    await using server = await start(dataDir);
    await using visit = await DrillVisit.begin(server.origin);
    await visit.say('the pain began on Monday');
    erasedId = visit.acknowledged.consultationId;
    await operate(dataDir, 'backup', backups);
  }
  await cp(keyArchiveIn(backups), join(dir.path, 'kept-keys.db'));
  const [archive = ''] = await readdir(join(backups, 'archives'));
  await operate(dataDir, 'vault', 'shred', erasedId);
  await operate(dataDir, 'backup', backups);
  // What this product never does: the old keys are kept.
  await writeFile(keyArchiveIn(backups), await readFile(join(dir.path, 'kept-keys.db')));
  const target = join(dir.path, 'restored');
  await operate(dataDir, 'restore', backups, '--at', archive, target);
  await bringKeys(dataDir, target);
  await using restored = await start(target);
  expect(await readThread(restored.origin, erasedId)).not.toBeNull();
}, 60_000);
