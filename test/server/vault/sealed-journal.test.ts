/** Journals: sealed files that grow, in docs/VAULT-FORMAT.md. */
import { hkdfSync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { memorySource } from '@teleconsult/server/storage/objects/memory-source';
import type { ConsultationKey } from '@teleconsult/server/vault/consultation-key';
import type { ObjectContext } from '@teleconsult/server/vault/encryption-context';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { openSealedJournal } from '@teleconsult/server/vault/opened-journal';
import { type AppendFile, MAX_BACKLOG_BYTES, SealedJournal } from '@teleconsult/server/vault/sealed-journal';
import { Vault } from '@teleconsult/server/vault/vault';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { openByHand } from './by-hand.ts';
import { consultation, contextOf, openFolder, openVault } from './vault.fixtures.ts';

const context = contextOf({ purpose: 'recording-journal', object: 'rec_1/fil_1/0' });
const STRIDE = 4096 + 32;

/** A file in memory that can be told to fail. */
class MemoryFile implements AppendFile {
  bytes = Buffer.alloc(0);
  syncedBytes = 0;
  syncs = 0;
  closed = false;
  failAppend: NodeJS.ErrnoException | null = null;
  failSync: NodeJS.ErrnoException | null = null;
  hold: Promise<void> | null = null;

  async append(bytes: Uint8Array): Promise<void> {
    await this.hold;
    if (this.failAppend !== null) {
      // A disk that fills takes a part.
      this.bytes = Buffer.concat([this.bytes, bytes.subarray(0, 100)]);
      throw this.failAppend;
    }
    this.bytes = Buffer.concat([this.bytes, bytes]);
  }

  async sync(): Promise<void> {
    this.syncs += 1;
    if (this.failSync !== null) throw this.failSync;
    this.syncedBytes = this.bytes.byteLength;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

const errno = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

const collected = (bytes: AsyncIterable<Uint8Array>) => buffer(Readable.from(bytes));

async function opened(bytes: Buffer, key: ConsultationKey, as: ObjectContext = context) {
  const journal = await openSealedJournal(memorySource(bytes), { key, context: as });
  const plain = await collected(journal.read());
  return { plain, whole: journal.whole, journal };
}

/** A closed journal of these pieces, each flushed into a frame of its own. */
async function sealed(key: ConsultationKey, pieces: readonly Uint8Array[]): Promise<Buffer> {
  const file = new MemoryFile();
  const journal = await SealedJournal.create({ key, context, file });
  for (const piece of pieces) {
    journal.append(piece);
    await journal.flush();
  }
  await journal.close();
  return file.bytes;
}

test('[RECS1] what was appended is read back, in any range, and nothing of it lies in the clear', async () => {
  await using vault = await openVault();
  const { key } = vault;
  const pieces = [1, 4094, 4095, 10, 50_000, 3].map((length) => randomBytes(length));
  const all = Buffer.concat(pieces);
  const bytes = await sealed(key, pieces);
  const { plain, whole, journal } = await opened(bytes, key);
  expect(plain.equals(all)).toBe(true);
  expect(whole).toBe(true);
  for (let index = 0; index < 200; index += 1) {
    const start = Math.floor(Math.random() * (all.byteLength + 1));
    const endExclusive = start + Math.floor(Math.random() * (all.byteLength - start + 1));
    const range = await collected(journal.read({ start, endExclusive }));
    expect(range.equals(all.subarray(start, endExclusive))).toBe(true);
  }
  for (const piece of pieces.filter(({ byteLength }) => byteLength >= 10))
    expect(bytes.includes(piece.subarray(0, 10))).toBe(false);
  await expect(collected(journal.read({ start: 0, endExclusive: all.byteLength + 1 }))).rejects.toThrow(
    RangeError,
  );
});

test('[RECS1] docs/VAULT-FORMAT.md is enough to open a closed journal with a plain AES and HKDF', async () => {
  await using folder = await openFolder();
  const path = join(folder.path, 'vault.json');
  const vault = new Vault(await openLocalKeyFile({ path, mayCreate: true, now: 0 }));
  const { keys } = JSON.parse(await readFile(path, 'utf8')) as { keys: { material: string }[] };
  const { key, wrapped } = await vault.createConsultationKey(consultation('A'));
  const fileKey = Buffer.from(keys[0]?.material ?? '', 'base64');
  const secret = openByHand(Buffer.from(wrapped), () => fileKey).plain;
  const objectKey = Buffer.from(hkdfSync('sha512', secret, '', 'teleconsult objects 1', 32));
  const bytes = await sealed(key, [Buffer.from('one'), Buffer.from('and two')]);
  const { plain, context: told } = openByHand(bytes, () => objectKey);
  const contents = [0, 4096].map((start) => plain.subarray(start + 2, start + 2 + plain.readUInt16BE(start)));
  expect(plain.byteLength).toBe(2 * 4096);
  expect(Buffer.concat(contents).toString()).toBe('oneand two');
  expect(told).toMatchObject({ purpose: 'recording-journal', object: context.object });
});

test('[RECS2] a journal cut at any byte yields every whole frame and not one byte more', async () => {
  await using vault = await openVault();
  const pieces = Array.from({ length: 4 }, () => randomBytes(300));
  const bytes = await sealed(vault.key, pieces);
  const headerBytes = bytes.byteLength - pieces.length * STRIDE - 40;
  for (let cut = headerBytes; cut < bytes.byteLength; cut += 97) {
    const frames = Math.min(pieces.length, Math.floor((cut - headerBytes) / STRIDE));
    const { plain, whole } = await opened(bytes.subarray(0, cut), vault.key);
    expect(plain.equals(Buffer.concat(pieces.slice(0, frames)))).toBe(true);
    expect(whole).toBe(false);
  }
});

test('[RECS2] a cut or damaged header opens nothing', async () => {
  await using vault = await openVault();
  const bytes = await sealed(vault.key, [Buffer.from('one')]);
  const headerBytes = bytes.byteLength - STRIDE - 40;
  await expect(opened(bytes.subarray(0, headerBytes - 1), vault.key)).rejects.toMatchObject({
    code: 'INTEGRITY',
  });
  for (let place = 0; place < headerBytes; place += 13) {
    const bent = Buffer.from(bytes);
    bent[place] = (bent[place] ?? 0) ^ 1;
    await expect(opened(bent, vault.key)).rejects.toMatchObject({ code: 'INTEGRITY' });
  }
});

test('[RECS3] a frame that was changed, moved, doubled or left out ends what is read, and is never handed on', async () => {
  await using vault = await openVault();
  const pieces = Array.from({ length: 4 }, () => randomBytes(300));
  const bytes = await sealed(vault.key, pieces);
  const headerBytes = bytes.byteLength - pieces.length * STRIDE - 40;
  const frame = (index: number) =>
    bytes.subarray(headerBytes + index * STRIDE, headerBytes + (index + 1) * STRIDE);
  const header = bytes.subarray(0, headerBytes);
  const readable = async (frames: readonly Buffer[]) =>
    (await opened(Buffer.concat([header, ...frames]), vault.key)).plain;
  expect((await readable([frame(0), frame(2), frame(1)])).equals(pieces[0] ?? Buffer.alloc(0))).toBe(true);
  expect((await readable([frame(1), frame(0)])).byteLength).toBe(0);
  expect((await readable([frame(0), frame(0)])).equals(pieces[0] ?? Buffer.alloc(0))).toBe(true);
  for (const place of [0, 5, 16, 18, 400, STRIDE - 1]) {
    const bent = Buffer.from(frame(1));
    bent[place] = (bent[place] ?? 0) ^ 0x80;
    expect((await readable([frame(0), bent, frame(2)])).equals(pieces[0] ?? Buffer.alloc(0))).toBe(true);
  }
});

test('[RECS3] neither another object’s frames, nor another key, nor another place open', async () => {
  await using vault = await openVault();
  const [one, other] = [await sealed(vault.key, [randomBytes(9)]), await sealed(vault.key, [randomBytes(9)])];
  const headerBytes = one.byteLength - STRIDE - 40;
  const swapped = Buffer.concat([one.subarray(0, headerBytes), other.subarray(headerBytes)]);
  expect((await opened(swapped, vault.key)).plain.byteLength).toBe(0);
  const elsewhere = { ...context, object: 'rec_1/fil_1/1' };
  await expect(opened(one, vault.key, elsewhere)).rejects.toMatchObject({ code: 'INTEGRITY' });
  const asPart = { ...context, purpose: 'recording' };
  await expect(opened(one, vault.key, asPart)).rejects.toMatchObject({ code: 'INTEGRITY' });
  const { key: strange } = await vault.vault.createConsultationKey(consultation('A'));
  await expect(opened(one, strange)).rejects.toMatchObject({ code: 'INTEGRITY' });
});

test('[RECS4] a byte is written at the latest 250 ms after it came, and synced within a second', async () => {
  await using vault = await openVault();
  const file = new MemoryFile();
  const journal = await SealedJournal.create({ key: vault.key, context, file });
  const since = performance.now();
  journal.append(Buffer.from('a'));
  const readable = async () => (await opened(file.bytes, vault.key)).plain.toString() === 'a';
  await eventually('the frame to be closed by time', readable);
  expect(performance.now() - since).toBeLessThan(600);
  await eventually('the sync', () => file.syncedBytes === file.bytes.byteLength);
  expect(performance.now() - since).toBeLessThan(2_500);
  expect(file.syncs).toBe(1);
  await journal.close();
  expect(file.closed).toBe(true);
});

test('[RECS4] however much is appended, it is synced at most once a second; a flush syncs at once', async () => {
  await using vault = await openVault();
  const file = new MemoryFile();
  const journal = await SealedJournal.create({ key: vault.key, context, file });
  const since = performance.now();
  await eventually('many appends', () => {
    journal.append(randomBytes(3_000));
    return performance.now() - since > 1_500;
  });
  expect(file.syncs).toBeLessThanOrEqual(2);
  await journal.flush();
  expect(file.syncedBytes).toBe(file.bytes.byteLength);
  await Promise.all([journal.close(), journal.close()]);
  expect(() => journal.append(Buffer.from('b'))).toThrow();
});

test('[RECS5] [D4] a full disk ends the journal with STORAGE_FULL, and what was written before stays readable', async () => {
  await using vault = await openVault();
  const file = new MemoryFile();
  const told: string[] = [];
  const journal = await SealedJournal.create({ key: vault.key, context, file }, ({ code }) =>
    told.push(code),
  );
  journal.append(Buffer.from('kept'));
  await journal.flush();
  file.failAppend = errno('ENOSPC');
  journal.append(Buffer.from('lost'));
  await expect(journal.flush()).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  expect(() => journal.append(Buffer.from('refused'))).toThrow(
    expect.objectContaining({ code: 'STORAGE_FULL' }),
  );
  await expect(journal.close()).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  expect(told).toEqual(['STORAGE_FULL']);
  expect(file.closed).toBe(true);
  expect((await opened(file.bytes, vault.key)).plain.toString()).toBe('kept');
});

test('[RECS5] [D5] after a sync that failed nothing is written or synced on that file any more', async () => {
  await using vault = await openVault();
  const file = new MemoryFile();
  const journal = await SealedJournal.create({ key: vault.key, context, file });
  journal.append(Buffer.from('a'));
  file.failSync = errno('EIO');
  await expect(journal.flush()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  file.failSync = null;
  const { syncs, bytes } = file;
  await expect(journal.flush()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  await expect(journal.close()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  expect(file.syncs).toBe(syncs);
  expect(file.bytes.byteLength).toBe(bytes.byteLength);
});

test('[RECS6] a disk that stands still costs the journal and not the memory of the server', async () => {
  await using vault = await openVault();
  const file = new MemoryFile();
  const journal = await SealedJournal.create({ key: vault.key, context, file });
  const stalled = Promise.withResolvers<void>();
  file.hold = stalled.promise;
  let taken = 0;
  expect(() => {
    for (;;) {
      journal.append(randomBytes(64 * 1024));
      taken += 64 * 1024;
      if (taken > 2 * MAX_BACKLOG_BYTES) break;
    }
  }).toThrow(expect.objectContaining({ code: 'STORAGE_UNAVAILABLE' }));
  expect(taken).toBeLessThanOrEqual(MAX_BACKLOG_BYTES);
  stalled.resolve();
  await expect(journal.close()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  expect(file.closed).toBe(true);
});

test('[RECS4] a power cut takes no more than the last second and a half of what was appended', async () => {
  await using vault = await openVault();
  const file = new MemoryFile();
  const journal = await SealedJournal.create({ key: vault.key, context, file });
  const since = performance.now();
  // Each piece says when it was appended, in milliseconds.
  let appendedAt = -1;
  let looks = 0;
  let worstMs = 0;
  await eventually('three seconds of pieces', async () => {
    const at = Math.floor(performance.now() - since);
    if (at >= appendedAt + 20) {
      appendedAt = at;
      journal.append(Buffer.from(`${String(at).padStart(5, '0')}\n`));
    }
    if (at > 1_500) {
      const { plain } = await opened(file.bytes.subarray(0, file.syncedBytes), vault.key);
      worstMs = Math.max(worstMs, at - Number(plain.toString().trimEnd().split('\n').at(-1)));
      looks += 1;
    }
    return at > 3_500;
  });
  expect(looks).toBeGreaterThan(20);
  expect(worstMs).toBeLessThan(1_500);
  await journal.close();
});
