import { randomInt } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { tempDir } from '../../helpers/temp-dir.ts';
import { textDraft } from '../../helpers/visit.ts';
import { jpeg, pdf } from '../uploads/samples.ts';
import { restart, startUploading, type Uploading, type UploadingOptions } from '../uploads/uploading.ts';
import { openUnsealedVault } from './unsealed-vault.ts';

/** More than one frame of a sealed object. */
const FILE_BYTES = 150_000;
const FLIPS = 40;

/** The file in which an attachment lies. */
async function objectFile(dataDir: string, attachmentId: string, variant = 'original'): Promise<string> {
  const objects = join(dataDir, 'objects');
  const names = await readdir(objects, { recursive: true });
  const name = names.find((one) => one.endsWith(`attachments.${attachmentId}.${variant}`));
  if (name === undefined) throw new Error('There is no such object.');
  return join(objects, name);
}

/** A PDF, and what became of it after its sealed file was changed. */
async function openFile(options: UploadingOptions = {}) {
  const uploading = await startUploading(options);
  const { app, id, patient, doctor } = uploading;
  const bytes = pdf(FILE_BYTES, Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 251)));
  const attachmentId = await patient.upload({ consultationId: id, kind: 'file', fileName: 'a.pdf' }, bytes);
  await patient.ended(id, attachmentId);
  const path = await objectFile(app.dataDir, attachmentId);
  const sealed = await readFile(path);

  /** Whether a reader got a wrong byte, or all of them although the object was changed. */
  const served = async (range?: { start: number; end: number }): Promise<string> => {
    const header = range === undefined ? {} : { range: `bytes=${range.start}-${range.end}` };
    const expected = range === undefined ? bytes : bytes.subarray(range.start, range.end + 1);
    let got = Buffer.alloc(0);
    try {
      const response = await doctor.content(id, attachmentId, header);
      if (response.status >= 400) return ((await response.json()) as { code: string }).code;
      for await (const chunk of response.body ?? []) got = Buffer.concat([got, chunk]);
    } catch {
      return expected.subarray(0, got.byteLength).equals(got) ? 'broken off' : 'WRONG BYTES';
    }
    return expected.equals(got) ? 'all' : 'WRONG BYTES';
  };
  return { ...uploading, attachmentId, bytes, path, sealed, served };
}

const flipped = (bytes: Buffer, at: number): Buffer => {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
};

test('[E4] [STO23] a sealed object in which any byte was changed is never served', async () => {
  await using file = await openFile();
  const { path, sealed, served } = file;
  expect(await served()).toBe('all');
  const places = [0, 1, sealed.byteLength >> 1, sealed.byteLength - 1];
  while (places.length < FLIPS) places.push(randomInt(sealed.byteLength));
  for (const at of places) {
    await writeFile(path, flipped(sealed, at));
    expect(['INTEGRITY', 'broken off'], `byte ${at}`).toContain(await served());
  }
  // What is damaged at its end or in its header is refused before the first byte.
  await writeFile(path, flipped(sealed, sealed.byteLength - 1));
  expect(await served({ start: 0, end: 9 })).toBe('INTEGRITY');
  await writeFile(path, sealed);
  expect(await served()).toBe('all');
});

test('[E4] [STO23] a sealed object that was cut, lengthened, emptied or exchanged is never served', async () => {
  await using file = await openFile();
  const { app, id, patient, path, sealed, served } = file;
  const picture = await patient.upload({ consultationId: id, kind: 'image' }, await jpeg());
  await patient.ended(id, picture);
  const twin = await patient.upload({ consultationId: id, kind: 'file', fileName: 'b.pdf' }, file.bytes);
  await patient.ended(id, twin);
  const small = await objectFile(app.dataDir, picture, 'thumbnail');
  for (const changed of [
    sealed.subarray(0, -1),
    sealed.subarray(0, 70_000),
    Buffer.alloc(0),
    Buffer.concat([sealed, Buffer.alloc(1)]),
    await readFile(small),
    await readFile(await objectFile(app.dataDir, twin)),
  ]) {
    await writeFile(path, changed);
    expect(await served()).toBe('INTEGRITY');
  }
  // A picture's two variants cannot take each other's place either.
  await writeFile(small, await readFile(await objectFile(app.dataDir, picture)));
  const response = await patient.content(id, picture, { variant: 'thumbnail' });
  expect(response.status).toBe(500);
  expect(await response.json()).toMatchObject({ code: 'INTEGRITY' });
});

test('[E4 sabotage] [STO23] without sealing, a changed byte is seen to be served', async () => {
  await using dir = await tempDir();
  const vault = await openUnsealedVault(dir.path, 'everything');
  await using file = await openFile({ dataDir: dir.path, vault });
  expect(await file.served()).toBe('all');
  await writeFile(file.path, flipped(file.sealed, FILE_BYTES >> 1));
  expect(await file.served()).toBe('WRONG BYTES');
});

interface EntryRow {
  readonly sequence: number;
  readonly sealed: Uint8Array;
}

/** Changes rows behind the server's back. */
function behindItsBack<T>({ app }: Pick<Uploading, 'app'>, change: (db: DatabaseSync) => T): T {
  using db = new DatabaseSync(join(app.dataDir, 'teleconsult.db'));
  return change(db);
}

/** What is read of the thread: `all`, or the code with which both ways of reading are refused. */
async function threadOf({ visit, id, patient }: Uploading, limit = 200): Promise<string> {
  const socket = await visit.doctor.emit('thread.page', { consultationId: id, afterSequence: 0, limit });
  const rest = await patient.get(`/v1/consultations/${id}/thread?limit=${limit}`);
  const problem = (await rest.json()) as { code?: string };
  const codes = [socket.ok ? 'all' : socket.error.code, problem.code ?? 'all'];
  return codes[0] === codes[1] ? (codes[0] ?? '') : codes.join(' but ');
}

async function startThread(options: UploadingOptions = {}) {
  const uploading = await startUploading(options);
  const { visit, id } = uploading;
  for (const number of [1, 2])
    await visit.patient.request('message.send', {
      consultationId: id,
      clientMessageId: `message-000${number}` as never,
      content: textDraft(`word ${number}`),
    });
  const rows: EntryRow[] = behindItsBack(uploading, (db) =>
    db
      .prepare('SELECT sequence, sealed FROM entry WHERE consultation_id = ? ORDER BY sequence')
      .all(id)
      .map((row) => ({ sequence: Number(row['sequence']), sealed: row['sealed'] as Uint8Array })),
  );
  const put = (sequence: number, sealed: Uint8Array) =>
    behindItsBack(uploading, (db) =>
      db
        .prepare('UPDATE entry SET sealed = ? WHERE consultation_id = ? AND sequence = ?')
        .run(sealed, id, sequence),
    );
  return Object.assign(uploading, { rows, put });
}

test('[E4] [STO23] an entry in which a byte was changed, or that was exchanged for another, is never served', async () => {
  await using thread = await startThread();
  const { rows, put } = thread;
  const [first, second] = rows.slice(-2);
  if (first === undefined || second === undefined) throw new Error('There are two messages.');
  expect(await threadOf(thread)).toBe('all');
  for (let at = 0; at < first.sealed.byteLength; at += 1) {
    put(first.sequence, flipped(Buffer.from(first.sealed), at));
    expect(await threadOf(thread), `byte ${at}`).toBe('INTEGRITY');
  }
  put(first.sequence, second.sealed);
  expect(await threadOf(thread)).toBe('INTEGRITY');
  // What is whole is still read.
  expect(await threadOf(thread, first.sequence - 1)).toBe('all');
  put(first.sequence, first.sealed);
  expect(await threadOf(thread)).toBe('all');
});

test.each(['at = at + 1', "by = 'somebody'", "kind = 'call.ended'", "client_message_id = 'message-0009'"])(
  '[E4] [STO23] an entry of which what is not sealed was changed (%s) is never served',
  async (change) => {
    await using thread = await startThread();
    const sequence = thread.rows.at(-1)?.sequence ?? 0;
    behindItsBack(thread, (db) => db.exec(`UPDATE entry SET ${change} WHERE sequence = ${sequence}`));
    expect(await threadOf(thread)).toBe('INTEGRITY');
  },
);

test.each(['consultation SET sealed_state', 'consultation SET wrapped_key', 'attachment SET sealed'])(
  '[E4] [STO23] after a change of %s nothing of it is served',
  async (column) => {
    await using dir = await tempDir();
    const before = await startUploading({ dataDir: dir.path });
    const { id, patient } = before;
    const picture = await patient.upload({ consultationId: id, kind: 'image' }, await jpeg());
    await patient.ended(id, picture);
    behindItsBack(before, (db) => {
      const name = column.split(' ').at(-1) ?? '';
      db.exec(`UPDATE ${column} = CAST(substr(${name}, 1, length(${name}) - 1) || x'00' AS BLOB)`);
    });
    await before[Symbol.asyncDispose]();
    await using after = await restart(before, { dataDir: dir.path });
    await expect(after.patient.status(id, picture)).rejects.toThrow('INTEGRITY');
    expect((await after.patient.content(id, picture)).status).toBe(500);
  },
);

test('[E4 sabotage] [STO23] without sealing, a changed entry is seen to be served', async () => {
  await using dir = await tempDir();
  const vault = await openUnsealedVault(dir.path, 'everything');
  await using thread = await startThread({ dataDir: dir.path, vault });
  const last = thread.rows.at(-1);
  const changed = Buffer.from(last?.sealed ?? [])
    .toString()
    .replace('word', 'lord');
  thread.put(last?.sequence ?? 0, Buffer.from(changed));
  expect(await threadOf(thread)).toBe('all');
});
