import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import { FileId, type PersonId, RecordingId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { FIELD_TABLES } from '../../../server/commands/verify/field-tables.ts';
import { DiskJournalFolder } from '../../../server/recordings/journal-folder.ts';
import { LocalTrackFiles } from '../../../server/recordings/local-track-files.ts';
import { FolderLock } from '../../../server/storage/folder-lock.ts';
import {
  byteColumns,
  columnName,
  FIELD_COLUMNS,
  NUMBER_COLUMNS,
  OPEN_COLUMNS,
} from '../../../server/storage/sqlite/sqlite-wrapped-values.ts';
import { addCurrentKey } from '../../../server/vault/change-keys.ts';
import { operate } from '../backup/operate.ts';
import { type DataFolder, openDataFolder } from './stored-vault.fixtures.ts';

/** A consultation with an attachment, and somebody's device. */
async function openFilled() {
  const data = await openDataFolder();
  const added = await data.addConsultation('CANARY-SAID');
  const { id, key } = added;
  await data.store.attachments.createAttachment({
    attachmentId: 'att_1' as never,
    consultationId: id,
    uploadedBy: 'patient-1' as never,
    kind: 'file',
    createdAt: 1,
    byteSize: 1,
    receivedBytes: 1,
    parts: 1,
    status: 'ready',
    withdrawn: false,
    sealed: key.seal('{}', 'attachment|att_1'),
  });
  const context = { consultation: id, purpose: 'attachment', object: 'att_1/original' };
  const plain = Buffer.alloc(200_000, 'CANARY-FILE');
  await data.objects.put(
    'attachments/att_1/original',
    data.vault.seal(Readable.from([plain]), { context, key }),
  );
  await data.addSubscription('patient-1', 'device-0001');
  return Object.assign(data, { id, key });
}

const verify = (data: DataFolder) => operate(data.path, 'vault', 'verify');

/** Changes a stored value behind the server's back. */
function change(data: DataFolder, sql: string): void {
  const db = new DatabaseSync(join(data.path, 'teleconsult.db'));
  try {
    db.exec(sql);
  } finally {
    db.close();
  }
}

/** SQL that flips a bit of the last byte of a value. */
const flipped = (column: string) =>
  `substr(${column}, 1, length(${column}) - 1) || CASE WHEN substr(${column}, -1) = x'00' THEN x'01' ELSE x'00' END`;

test('[VLT53] a sound data folder verifies, beside whoever writes to it', async () => {
  await using data = await openFilled();
  const { code, said } = await verify(data);
  expect(said).toBe(
    '1 consultations (0 erased), 3 fields, 1 other values, 1 objects, 0 unreadable: everything opens',
  );
  expect(code).toBe(0);
});

test.each([
  [
    'a consultation’s key',
    'UPDATE consultation SET wrapped_key = CAST(%s AS BLOB)',
    'wrapped_key',
    'its key does not open',
  ],
  [
    'a state',
    'UPDATE consultation SET sealed_state = CAST(%s AS BLOB)',
    'sealed_state',
    ': state does not open',
  ],
  ['an entry', 'UPDATE entry SET sealed = CAST(%s AS BLOB)', 'sealed', ': entry 1 does not open'],
  [
    'facts of an attachment',
    'UPDATE attachment SET sealed = CAST(%s AS BLOB)',
    'sealed',
    ': att_1 does not open',
  ],
  [
    'a person’s record',
    'UPDATE push_subscription SET sealed = CAST(%s AS BLOB)',
    'sealed',
    'push_subscription patient-1 device-0001: does not open',
  ],
])('[VLT53] %s that was changed is named, by ids alone', async (_what, sql, column, named) => {
  await using data = await openFilled();
  change(data, sql.replace('%s', flipped(column)));
  const { code, said } = await verify(data);
  expect(code).toBe(1);
  expect(said).toContain(named);
  expect(said).toContain('NOT everything opens');
  expect(said).not.toContain('CANARY');
});

test('[VLT53] an entry that was moved to another place is named', async () => {
  await using data = await openFilled();
  change(data, 'UPDATE entry SET at = at + 1');
  expect(await verify(data)).toMatchObject({
    code: 1,
    said: expect.stringContaining('entry 1 does not open'),
  });
});

test('[VLT53] an object that was changed at any place, cut, moved, exchanged or lost is named', async () => {
  await using data = await openFilled();
  const name = 'attachments/att_1/original';
  await using source = await data.objects.open(name);
  const whole = await source.read(0, source.byteSize);
  const put = (object: string, bytes: Buffer) => data.objects.put(object, Readable.from([bytes]));
  for (const at of [5, 400, 100_000, whole.byteLength - 1]) {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await put(name, bytes);
    expect(await verify(data)).toMatchObject({ code: 1, said: expect.stringContaining(`object ${name}`) });
  }
  await put(name, whole.subarray(0, -70_000));
  expect(await verify(data)).toMatchObject({ code: 1 });
  await put(name, whole);
  expect(await verify(data)).toMatchObject({ code: 0 });
  await put('attachments/att_2/original', whole);
  expect(await verify(data)).toMatchObject({
    code: 1,
    said: expect.stringContaining('object attachments/att_2/original'),
  });
  await data.objects.delete('attachments/att_2/original');
  await data.objects.delete(name);
  expect(await verify(data)).toMatchObject({
    code: 1,
    said: expect.stringContaining('att_1: its object is not in the store'),
  });
});

test('[VLT53] a recording verifies while it grows and when it is whole; a lost part and a foreign journal are named', async () => {
  await using data = await openFilled();
  const folder = await DiskJournalFolder.open(join(data.path, 'recordings'));
  const files = new LocalTrackFiles({
    folder,
    objects: data.objects,
    vault: data.vault,
    log: data.log,
    clock: () => performance.now(),
    roomToBegin: 0,
  });
  const recordingId = RecordingId.parse(`rec_${'R'.repeat(22)}`);
  const fileId = FileId.parse(`fil_${'F'.repeat(22)}`);
  const place = { consultationId: data.id, recordingId, fileId, key: data.key };
  await data.store.recordings.createRecording({
    recordingId,
    consultationId: data.id,
    purpose: 'summary',
    startedBy: 'doctor-1' as PersonId,
    startedAt: 1,
    endedAt: null,
    state: 'running',
    clientId: null,
    sealed: data.key.seal('{}', `recording|${recordingId}`),
  });
  const sealed = data.key.seal('{}', `recording file|${fileId}`);
  const facts = { fileId, state: 'growing' as const, byteSize: 0, parts: 0, sealed };
  await data.store.recordings.createFile({
    ...facts,
    recordingId,
    consultationId: data.id,
    kind: 'track',
    createdAt: 1,
  });
  const growing = await files.create(place);
  growing.append(Buffer.alloc(30_000, 'CANARY-VOICE'));
  await growing.flush();
  expect(await verify(data)).toMatchObject({
    code: 0,
    said: expect.stringContaining('2 objects, 0 unreadable'),
  });
  const { byteSize, parts } = await growing.close();
  await data.store.recordings.updateFile({ ...facts, state: 'whole', byteSize, parts });
  await files.close();
  expect(await verify(data)).toMatchObject({
    code: 0,
    said: expect.stringContaining('2 objects, 0 unreadable'),
  });

  await data.objects.delete(`recordings/${recordingId}/${fileId}/0`);
  for (const name of await folder.list()) await folder.remove(name);
  expect(await verify(data)).toMatchObject({
    code: 1,
    said: expect.stringContaining(`${fileId}: its part 0 is not in the store`),
  });
  await writeFile(join(data.path, 'recordings', 'x.journal'), randomBytes(5_000));
  expect(await verify(data)).toMatchObject({
    said: expect.stringContaining('journal x.journal: does not open'),
  });
});

test('[VLT54] every column of bytes in the schema is known: a field that is verified, a value that is sealed anew, or open', async () => {
  await using data = await openDataFolder();
  const db = new DatabaseSync(join(data.path, 'teleconsult.db'), { readOnly: true });
  const columns = byteColumns(db).map(columnName);
  db.close();
  const verified = FIELD_TABLES.flatMap((table) => table.columns);
  expect(verified.toSorted()).toEqual([...FIELD_COLUMNS].toSorted());
  const scanned = data.store.wrappedValues.columns().map(columnName);
  expect(scanned).toEqual([
    'consultation.wrapped_key',
    'invitation.sealed',
    'phone_key.sealed',
    'push_subscription.sealed',
  ]);
  const known = [...verified, ...scanned, ...NUMBER_COLUMNS, ...OPEN_COLUMNS];
  expect(known.toSorted()).toEqual(columns.toSorted());
});

test('[VLT55] status says which keys there are, what each wraps, and exits with 1 when one is missing', async () => {
  await using data = await openFilled();
  const { currentKeyId } = data.keys;
  const before = await operate(data.path, 'vault', 'status');
  expect(before.code).toBe(0);
  expect(before.said).toContain(
    `${currentKeyId} (current, of 1970-01-01): wraps 1 of consultation, 1 of push_subscription`,
  );
  await operate(data.path, 'vault', 'rotate');
  const after = await operate(data.path, 'vault', 'status');
  expect(after.said).toMatch(/^key_\w+ \(current, of \d{4}-\d\d-\d\d\): wraps nothing$/m);
  const file = JSON.parse(await readFile(data.keyFile, 'utf8'));
  await writeFile(data.keyFile, JSON.stringify({ ...file, keys: file.keys.slice(1) }));
  const missing = await operate(data.path, 'vault', 'status');
  expect(missing).toMatchObject({ code: 1, said: expect.stringContaining(`${currentKeyId} (MISSING)`) });
});

test('[VLT46] a server that has finished under an earlier key may be taking up the one that is to be retired', async () => {
  await using data = await openFilled();
  const settledUnder = data.keys.currentKeyId;
  const status = { at: new Date().toISOString(), pid: 1, state: 'settled', wrappingForMs: null };
  const say = (currentKeyId: string) =>
    writeFile(
      join(data.path, 'vault-status.json'),
      JSON.stringify({ ...status, currentKeyId, remaining: 0, rewrapped: 0, failed: 0 }),
    );
  // Two rotations at once: nothing stored is under the key between them, yet.
  const { added: between } = await addCurrentKey(data.keyFile, 0);
  const { added: newest } = await addCurrentKey(data.keyFile, 0);
  const server = new FolderLock(data.path);
  await say(settledUnder);
  expect(await operate(data.path, 'vault', 'retire', between)).toMatchObject({
    code: 1,
    said: expect.stringContaining(`does not wrap with ${newest} yet`),
  });
  await say(newest);
  expect(await operate(data.path, 'vault', 'retire', between)).toMatchObject({ code: 0 });
  server.close();
});

test('[VLT46] a key is not retired while the database, an object or a named backup needs it', async () => {
  await using data = await openFilled();
  const former = data.keys.currentKeyId;
  const retire = (...more: string[]) => operate(data.path, 'vault', 'retire', former, ...more);
  const backups = join(data.path, '..', `${former}-backups`);
  await using _gone = {
    [Symbol.asyncDispose]: async () => {
      await rm(backups, { recursive: true, force: true });
    },
  };
  expect(await operate(data.path, 'backup', backups)).toMatchObject({ code: 0 });
  expect(await retire()).toMatchObject({ code: 1, said: expect.stringContaining('is the current key') });
  await operate(data.path, 'vault', 'rotate');
  expect(await retire()).toMatchObject({
    code: 1,
    said: expect.stringContaining('it wraps 1 of consultation, 1 of push_subscription in the database'),
  });
  change(data, `DELETE FROM push_subscription; UPDATE consultation SET wrapped_key = x''`);
  // Sealed without a consultation's key: such an object needs the provider's own.
  const context = { consultation: data.id, purpose: 'attachment', object: 'att_3/original' };
  const bare = data.vault.seal(Readable.from([Buffer.from('x')]), { context });
  await data.objects.put('attachments/att_3/original', bare);
  expect(await retire()).toMatchObject({
    code: 1,
    said: expect.stringContaining('1 objects in the object store'),
  });
  await data.objects.delete('attachments/att_3/original');
  expect(await retire('--backup', backups)).toMatchObject({
    code: 1,
    said: expect.stringContaining('in the backup in'),
  });
  expect(await retire()).toMatchObject({ code: 0 });
});
