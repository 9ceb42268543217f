import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { DeviceId, PersonId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { backUp } from '../../../server/backup/backup.ts';
import { archivesIn, bodiesIn, keyArchiveIn } from '../../../server/backup/layout.ts';
import { restore } from '../../../server/backup/restore.ts';
import type { ObjectStore } from '../../../server/storage/objects/object-store.ts';
import { openConnection } from '../../../server/storage/sqlite/connection.ts';
import { SqliteStore } from '../../../server/storage/sqlite/sqlite-store.ts';
import type { ConsultationKey } from '../../../server/vault/consultation-key.ts';
import { SealedJournal } from '../../../server/vault/sealed-journal.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { type DataFolder, openDataFolder } from '../vault/stored-vault.fixtures.ts';
import { operate } from './operate.ts';

/** A data folder, a folder for its backups and what is done with them. */
async function openDrill() {
  await using closing = new AsyncDisposableStack();
  const data = closing.use(await openDataFolder());
  const dir = closing.use(await tempDir());
  const folder = join(dir.path, 'backups');
  let moment = Date.UTC(2026, 10, 22);
  const db = closing.adopt(openConnection(join(data.path, 'teleconsult.db'), { readOnly: true }), (one) =>
    one.close(),
  );
  const moved = closing.move();
  return {
    data,
    folder,
    archives: () => readdir(archivesIn(folder)),
    place: (name: string) => join(dir.path, name),
    /** A day passes between two backups. */
    backUp: (change: Partial<Parameters<typeof backUp>[0]> = {}) => {
      moment += 86_400_000;
      return backUp({
        dataFolder: data.path,
        db,
        objects: data.objects,
        folder,
        keep: null,
        now: moment,
        ...change,
      });
    },
    restore: (name: string, archive: string | null = null) =>
      restore({ folder, archive, target: join(dir.path, name), objects: null }),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

async function putFile(data: DataFolder, key: ConsultationKey, name: string, text: string): Promise<string> {
  const object = `attachments/${name}/original`;
  const context = { consultation: key.consultationId, purpose: 'attachment', object: `${name}/original` };
  await data.objects.put(object, data.vault.seal(Readable.from([Buffer.from(text)]), { context, key }));
  return object;
}

const filesBelow = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
};

test('[BKP2] a backup copies only what the backups before do not have', async () => {
  await using drill = await openDrill();
  const { key } = await drill.data.addConsultation();
  for (const name of ['att_1', 'att_2', 'att_3']) await putFile(drill.data, key, name, name);
  expect(await drill.backUp()).toMatchObject({ objects: 3, copied: 3, removed: 0 });
  expect(await drill.backUp()).toMatchObject({ objects: 3, copied: 0, removed: 0 });
  await putFile(drill.data, key, 'att_4', 'new');
  // Written again under its name: another object, whatever its size.
  await putFile(drill.data, key, 'att_1', 'att_9');
  expect(await drill.backUp()).toMatchObject({ objects: 4, copied: 2, removed: 1 });
  expect(await drill.restore('restored')).toMatchObject({ objects: 4, erasedObjects: 0 });
});

test('[BKP3] no archive holds what the provider’s keys wrap, nor the header of an object', async () => {
  await using drill = await openDrill();
  const { key, wrapped } = await drill.data.addConsultation();
  const { sealed } = await drill.data.addSubscription('patient-1', 'device-0001');
  const object = await putFile(drill.data, key, 'att_1', 'CANARY');
  await using source = await drill.data.objects.open(object);
  const header = await source.read(0, 200);
  await drill.backUp();
  const files = (await filesBelow(drill.folder)).filter((path) => path !== keyArchiveIn(drill.folder));
  const bytes = Buffer.concat(await Promise.all(files.map((path) => readFile(path))));
  for (const secret of [wrapped, sealed, header].map((one) => Buffer.from(one))) {
    expect(bytes.includes(secret.subarray(40, 120))).toBe(false);
    expect((await readFile(keyArchiveIn(drill.folder))).includes(secret.subarray(40, 120))).toBe(true);
  }
  expect(await readdir(drill.data.path)).not.toContain('backup-staging');
});

test('[E9] [BKP4] one object that is erased is in no archive any more after the next backup', async () => {
  await using drill = await openDrill();
  const { key } = await drill.data.addConsultation();
  const erased = await putFile(drill.data, key, 'att_1', 'a recording that must go');
  const kept = await putFile(drill.data, key, 'att_2', 'a recording that stays');
  const { archive: first } = await drill.backUp();
  await drill.data.objects.delete(erased);
  expect(await drill.backUp()).toMatchObject({ removed: 1 });
  expect(await drill.restore('older', first)).toMatchObject({ objects: 1, erasedObjects: 1 });
  const names = (await filesBelow(join(drill.place('older'), 'objects'))).map((path) =>
    path.split('/').at(-1),
  );
  expect(names).toEqual([kept.replaceAll('/', '.')]);
});

test('[E9 sabotage] a copy of the whole backup from before the erasure is seen to bring the object back', async () => {
  await using drill = await openDrill();
  const { key } = await drill.data.addConsultation();
  const erased = await putFile(drill.data, key, 'att_1', 'a recording that must go');
  await drill.backUp();
  await cp(drill.folder, drill.place('copy'), { recursive: true });
  await drill.data.objects.delete(erased);
  await drill.backUp();
  const target = drill.place('restored');
  const from = { folder: drill.place('copy'), archive: null, target, objects: null };
  expect(await restore(from)).toMatchObject({ objects: 1, erasedObjects: 0 });
});

test('[BKP5] a part of a backup that was changed is noticed, and nothing is restored', async () => {
  await using drill = await openDrill();
  const { key } = await drill.data.addConsultation();
  await putFile(drill.data, key, 'att_1', 'text');
  const { archive } = await drill.backUp();
  const [body = ''] = await filesBelow(bodiesIn(drill.folder));
  const parts = ['teleconsult.db', 'objects.jsonl'].map((name) =>
    join(archivesIn(drill.folder), archive, name),
  );
  for (const path of [...parts, body]) {
    const bytes = await readFile(path);
    const changed = Buffer.from(bytes);
    const at = changed.byteLength - 3;
    changed[at] = (changed[at] ?? 0) ^ 1;
    await writeFile(path, changed);
    await expect(drill.restore('restored')).rejects.toThrow(/changed or is damaged/);
    expect(await readdir(drill.place('.'))).not.toContain('restored');
    await writeFile(path, bytes);
  }
  await drill.restore('restored');
});

test('[BKP6] a restore writes over nothing, and says which archives there are', async () => {
  await using drill = await openDrill();
  await drill.data.addConsultation();
  await expect(drill.restore('x')).rejects.toThrow(/no complete archive/);
  const { archive } = await drill.backUp();
  await mkdir(drill.place('full'));
  await writeFile(join(drill.place('full'), 'letter.txt'), 'mine');
  await expect(drill.restore('full')).rejects.toThrow(/not empty/);
  await expect(drill.restore('x', '2020-01-01T00-00-00-000Z')).rejects.toThrow(archive);
  await expect(drill.restore('x', '../../etc')).rejects.toThrow(/no archive/);
  await mkdir(drill.place('empty'));
  expect(await drill.restore('empty')).toMatchObject({ archive });
});

test('[BKP7] a backup that fails leaves no archive and the keys as they were; the next clears up', async () => {
  await using drill = await openDrill();
  const { key } = await drill.data.addConsultation();
  await putFile(drill.data, key, 'att_1', 'text');
  await drill.backUp();
  const keys = await readFile(keyArchiveIn(drill.folder));
  const store = drill.data.objects;
  const objects: ObjectStore = {
    put: (name, bytes) => store.put(name, bytes),
    open: (name) => store.open(name),
    head: (name) => store.head(name),
    delete: (name) => store.delete(name),
    async *list() {
      yield 'attachments/att_1/original';
      throw new Error('the disk is gone');
    },
  };
  await expect(drill.backUp({ objects })).rejects.toThrow('the disk is gone');
  expect(await readFile(keyArchiveIn(drill.folder))).toEqual(keys);
  const left = await drill.archives();
  expect(left.filter((name) => !name.endsWith('.partial'))).toHaveLength(1);
  await drill.restore('restored');
  await drill.backUp();
  expect((await drill.archives()).every((name) => !name.endsWith('.partial'))).toBe(true);
  expect(await readdir(drill.folder)).not.toContain('keys.db.new');
});

test('[BKP8] two backups never write to one folder at once', async () => {
  await using drill = await openDrill();
  await drill.data.addConsultation();
  const turns = await Promise.allSettled([drill.backUp(), drill.backUp()]);
  expect(turns.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
});

test('[BKP9] as many archives are kept as are asked for, the newest', async () => {
  await using drill = await openDrill();
  await drill.data.addConsultation();
  const made: string[] = [];
  for (let day = 0; day < 4; day += 1) made.push((await drill.backUp({ keep: 2 })).archive);
  expect(await drill.archives()).toEqual(made.slice(-2));
});

test('[BKP10] a recording that still grows is in the backup as far as it was written', async () => {
  await using drill = await openDrill();
  const { key } = await drill.data.addConsultation();
  const folder = join(drill.data.path, 'recordings');
  await mkdir(folder);
  const name = `rec_${'a'.repeat(22)}.fil_${'b'.repeat(22)}.0.journal`;
  const path = join(folder, name);
  const written: Buffer[] = [];
  const journal = await SealedJournal.create({
    key,
    context: { consultation: key.consultationId, purpose: 'recording-journal', object: 'x' },
    file: {
      append: async (bytes) => {
        written.push(Buffer.from(bytes));
        await writeFile(path, Buffer.concat(written));
      },
      sync: async () => undefined,
      close: async () => undefined,
    },
  });
  journal.append(Buffer.alloc(20_000, 'a'));
  await journal.flush();
  const { archive: first } = await drill.backUp();
  const soFar = await readFile(path);
  journal.append(Buffer.alloc(20_000, 'b'));
  await journal.flush();
  await journal.close();
  await drill.backUp();
  await drill.restore('newest');
  expect(await readFile(join(drill.place('newest'), 'recordings', name))).toEqual(await readFile(path));
  await drill.restore('older', first);
  expect(await readFile(join(drill.place('older'), 'recordings', name))).toEqual(soFar);
  const said = await operate(drill.data.path, 'vault', 'verify');
  expect(said.said).toContain('1 objects, 0 unreadable');
});

test('[BKP11] what a person has withdrawn since is not restored, and what was sealed anew since opens', async () => {
  await using drill = await openDrill();
  const { id } = await drill.data.addConsultation();
  await drill.data.addSubscription('patient-1', 'device-0001');
  await drill.data.addSubscription('patient-1', 'device-0002');
  const { archive: first } = await drill.backUp();
  await drill.data.store.people.removeSubscription('patient-1' as PersonId, 'device-0001' as DeviceId);
  await drill.backUp();
  await drill.restore('older', first);
  const restored = await SqliteStore.open(join(drill.place('older'), 'teleconsult.db'));
  try {
    const devices = await restored.people.subscriptions('patient-1' as PersonId);
    expect(devices.map(({ deviceId }) => deviceId)).toEqual(['device-0002']);
    const stored = await restored.load(id);
    await drill.data.vault.openConsultationKey(id, stored?.wrappedKey ?? new Uint8Array());
  } finally {
    await restored.close();
  }
});

test('[BKP12] a key archive that is lost is noticed before anything is restored', async () => {
  await using drill = await openDrill();
  await drill.data.addConsultation();
  await drill.backUp();
  await rm(keyArchiveIn(drill.folder));
  await expect(drill.restore('restored')).rejects.toThrow(/no key archive/);
});
