import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import type { PersonId } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import type { ObjectStore } from '../../../server/storage/objects/object-store.ts';
import { removeStaleCopy, withStagingCopy } from '../../../server/storage/sqlite/staging-copy.ts';
import { type ErasableRecords, finishShredding, shred } from '../../../server/vault/shred.ts';
import { keptLog, openDataFolder } from './stored-vault.fixtures.ts';

async function openFilled() {
  const data = await openDataFolder();
  const one = await data.addConsultation('first');
  const other = await data.addConsultation('second');
  const { key } = one;
  await data.store.attachments.createAttachment({
    attachmentId: 'att_1' as never,
    consultationId: one.id,
    uploadedBy: 'patient-1' as never,
    kind: 'file',
    createdAt: 1,
    byteSize: 1,
    receivedBytes: 0,
    parts: 2,
    status: 'receiving',
    withdrawn: false,
    sealed: key.seal('{}', 'attachment|att_1'),
  });
  for (const object of ['uploads/att_1/0', 'uploads/att_1/1', 'uploads/att_1/2']) {
    const context = { consultation: one.id, purpose: 'upload', object: object.slice(8) };
    await data.objects.put(object, data.vault.seal(Readable.from([Buffer.from('x')]), { context, key }));
  }
  const letGo: string[] = [];
  const parts = {
    records: data.store.erasure as ErasableRecords,
    objects: data.objects,
    letGo: async (id: string) => void letGo.push(id),
    log: keptLog(),
  };
  return Object.assign(data, { one, other, parts, letGoOf: letGo });
}

async function databaseBytes(path: string): Promise<Buffer> {
  const files = ['teleconsult.db', 'teleconsult.db-wal'].map((name) =>
    readFile(join(path, name)).catch(() => Buffer.alloc(0)),
  );
  return Buffer.concat(await Promise.all(files));
}

test('[VLT57] what was shredded has no key in any file of the database, no rows that say anything, and no objects', async () => {
  await using data = await openFilled();
  const { one, other, parts } = data;
  const secret = Buffer.from(one.wrapped.subarray(-48));
  expect((await databaseBytes(data.path)).includes(secret)).toBe(true);
  const done = await shred(parts, one.id);
  expect(done).toEqual({ wasThere: true, objects: 5, scrubbed: true });
  expect((await databaseBytes(data.path)).includes(secret)).toBe(false);

  const stored = await data.store.load(one.id);
  expect(stored?.wrappedKey).toHaveLength(0);
  const again = data.vault.openConsultationKey(one.id, stored?.wrappedKey ?? new Uint8Array(1));
  await expect(again).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await data.store.page(one.id, { after: 0, limit: 10 })).toEqual([]);
  expect(await data.store.listFor('patient-1' as PersonId, { limit: 10, createdBefore: null })).toEqual([
    other.id,
  ]);
  const left: string[] = [];
  for await (const name of data.objects.list('')) left.push(name);
  expect(left).toEqual([]);
  const kept = await data.store.load(other.id);
  await data.vault.openConsultationKey(other.id, kept?.wrappedKey ?? new Uint8Array());
});

test('[VLT57] an erased consultation is nobody’s work any more: nothing is due, told or waited for', async () => {
  await using data = await openFilled();
  const { one, parts } = data;
  await shred(parts, one.id);
  for (const listed of [
    await data.store.due(Number.MAX_SAFE_INTEGER, 10),
    await data.store.inCall(),
    (await data.store.behind(10)).filter((id) => id === one.id),
  ])
    expect(listed).not.toContain(one.id);
});

test('[VLT58] memory lets go before the key is destroyed, and again after it: whoever loaded it in between goes too', async () => {
  await using data = await openFilled();
  const { one, parts } = data;
  const order: string[] = [];
  const { records } = parts;
  await shred(
    {
      ...parts,
      letGo: async () => void order.push('let go'),
      records: {
        objectsOf: (id) => records.objectsOf(id),
        scrub: () => records.scrub(),
        forgetObjects: (id) => records.forgetObjects(id),
        halfErased: () => records.halfErased(),
        eraseConsultation: async (id) => {
          order.push('erase');
          return records.eraseConsultation(id);
        },
      },
    },
    one.id,
  );
  expect(order).toEqual(['let go', 'erase', 'let go']);
});

test('[VLT58] shredding that fails halfway goes on when it is asked for again, and what is erased stays so', async () => {
  await using data = await openFilled();
  const { one, parts } = data;
  const failing = {
    ...parts,
    removeJournals: async () => {
      throw new AppError('STORAGE_UNAVAILABLE');
    },
  };
  await expect(shred(failing, one.id)).rejects.toMatchObject({ retryable: true });
  expect((await data.store.load(one.id))?.wrappedKey.byteLength).toBeGreaterThan(0);
  expect(await shred(parts, one.id)).toMatchObject({ wasThere: true, scrubbed: true });
  expect(await shred(parts, one.id)).toMatchObject({ wasThere: true, objects: 0 });
  expect(await shred(parts, `cns_${'x'.repeat(22)}` as typeof one.id)).toMatchObject({ wasThere: false });
});

test('[VLT58] what a kill left after the key was destroyed is found at the next start, and finished', async () => {
  await using data = await openFilled();
  const { one, parts } = data;
  const objects: ObjectStore = {
    put: (name, bytes) => data.objects.put(name, bytes),
    open: (name) => data.objects.open(name),
    head: (name) => data.objects.head(name),
    list: (prefix) => data.objects.list(prefix),
    delete: async () => {
      throw new AppError('STORAGE_UNAVAILABLE');
    },
  };
  await expect(shred({ ...parts, objects }, one.id)).rejects.toMatchObject({ retryable: true });
  expect((await data.store.load(one.id))?.wrappedKey).toHaveLength(0);
  expect(await finishShredding(parts)).toBe(1);
  const left: string[] = [];
  for await (const name of data.objects.list('')) left.push(name);
  expect(left).toEqual([]);
  expect(await finishShredding(parts)).toBe(0);
});

test('[VLT57] a copy of the database that a killed backup has left goes too, and one in use stays', async () => {
  await using data = await openFilled();
  const staging = join(data.path, 'backup-staging');
  await mkdir(staging);
  await writeFile(join(staging, 'copy.db'), data.one.wrapped);
  await shred(data.parts, data.one.id);
  expect(existsSync(staging)).toBe(false);
  const reader = new DatabaseSync(join(data.path, 'teleconsult.db'), { readOnly: true });
  let isCopied = false;
  const copying = withStagingCopy(reader, data.path, () => {
    isCopied = existsSync(join(staging, 'copy.db'));
  });
  // The lock is held from the first moment on: neither of these touches the copy that is being made.
  await removeStaleCopy(data.path);
  await expect(withStagingCopy(reader, data.path, () => undefined)).rejects.toThrow('under way');
  await copying;
  expect(isCopied).toBe(true);
  reader.close();
  expect(existsSync(staging)).toBe(false);
});

test('[VLT57 sabotage] without the scrub the wrapped key is seen in the database’s log', async () => {
  await using data = await openFilled();
  const { one } = data;
  await data.store.erasure.eraseConsultation(one.id);
  expect((await databaseBytes(data.path)).includes(Buffer.from(one.wrapped.subarray(-48)))).toBe(true);
});

test('[VLT57] somebody who reads from the database keeps the old log alive, and shredding says so', async () => {
  await using data = await openFilled();
  const reader = new DatabaseSync(join(data.path, 'teleconsult.db'), { readOnly: true });
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM consultation').get();
  expect(await shred(data.parts, data.one.id)).toMatchObject({ scrubbed: false });
  reader.close();
  expect(await data.store.erasure.scrub()).toBe(true);
});
