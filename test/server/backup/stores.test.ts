import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { runCommand } from '../../../server/commands/run.ts';
import { openBeside } from '../../../server/commands/stores-beside.ts';
import { DiskObjectStore } from '../../../server/storage/objects/disk.ts';
import type { ObjectPlaces } from '../../../server/storage/objects/object-store-settings.ts';
import type { ConsultationKey } from '../../../server/vault/consultation-key.ts';
import { cephMissing, cephPlace } from '../../helpers/ceph.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { type DataFolder, openDataFolder } from '../vault/stored-vault.fixtures.ts';

const sealedFile = (data: DataFolder, key: ConsultationKey, name: string, text: string) =>
  data.vault.seal(Readable.from([Buffer.from(text)]), {
    context: { consultation: key.consultationId, purpose: 'attachment', object: `${name}/original` },
    key,
  });

async function run(dataFolder: string, objectPlaces: ObjectPlaces, ...args: string[]) {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const code = await runCommand(args, { dataFolder, kms: null, objectPlaces, say, now: Date.now });
  return { code, said: lines.join('\n') };
}

test('[BKP13] with two stores every object is in the backup once, and of two of one name the second store’s', async () => {
  await using data = await openDataFolder();
  await using dir = await tempDir();
  const secondDir = join(dir.path, 'second');
  const second = await DiskObjectStore.open(secondDir);
  const places: ObjectPlaces = {
    first: { kind: 'disk', dir: null },
    second: { kind: 'disk', dir: secondDir },
  };
  const { key } = await data.addConsultation();
  await data.objects.put('attachments/att_1/original', sealedFile(data, key, 'att_1', 'older'));
  await second.put('attachments/att_1/original', sealedFile(data, key, 'att_1', 'the newer one'));
  await second.put('attachments/att_2/original', sealedFile(data, key, 'att_2', 'away'));
  await using away = await second.open('attachments/att_1/original');
  const newer = await away.read(0, away.byteSize);
  const backups = join(dir.path, 'backups');
  expect((await run(data.path, places, 'backup', backups)).said).toContain('2 objects, 2 of them new');
  expect((await run(data.path, places, 'vault', 'verify')).said).toContain('2 objects, 0 unreadable');
  const target = join(dir.path, 'restored');
  expect(await run(data.path, places, 'restore', backups, target)).toMatchObject({ code: 0 });
  const restored = DiskObjectStore.beside(join(target, 'objects'));
  await using source = await restored.open('attachments/att_1/original');
  expect(await source.read(0, source.byteSize)).toEqual(newer);
});

test.skipIf(cephMissing !== null)(
  `[BKP14] a bucket is backed up, verified, and restored into an empty one${cephMissing ? ` (${cephMissing})` : ''}`,
  async () => {
    await using data = await openDataFolder();
    await using dir = await tempDir();
    const base = await cephPlace();
    const placed = (): ObjectPlaces => ({
      first: {
        kind: 's3',
        place: { ...base, prefix: `${base.prefix}${randomBytes(6).toString('hex')}/` },
      },
      second: null,
    });
    const [from, to] = [placed(), placed()];
    const { key } = await data.addConsultation();
    const bucket = await openBeside(from.first, '');
    await bucket.store.put('attachments/att_1/original', sealedFile(data, key, 'att_1', 'kept in a bucket'));
    bucket.close();
    const backups = join(dir.path, 'backups');
    expect(await run(data.path, from, 'backup', backups)).toMatchObject({
      code: 0,
      said: expect.stringContaining('1 objects, 1 of them new'),
    });
    const target = join(dir.path, 'restored');
    expect(await run(data.path, from, 'restore', backups, target)).toMatchObject({
      code: 1,
      said: expect.stringContaining('has objects already'),
    });
    expect(await run(data.path, to, 'restore', backups, target)).toMatchObject({ code: 0 });
    expect(await readdir(target)).not.toContain('objects');
    await mkdir(join(target, 'keys'), { mode: 0o700 });
    await copyFile(data.keyFile, join(target, 'keys', 'vault-keys.json'));
    const verified = await run(target, to, 'vault', 'verify');
    expect(verified).toMatchObject({ code: 0, said: expect.stringContaining('1 objects, 0 unreadable') });
  },
  120_000,
);
