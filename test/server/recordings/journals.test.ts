import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { journalName, partKey } from '@teleconsult/server/recordings/chunk-names';
import type { JournalFolder } from '@teleconsult/server/recordings/journal-folder';
import { MemoryObjectStore } from '@teleconsult/server/storage/objects/memory';
import type { ObjectStore } from '@teleconsult/server/storage/objects/object-store';
import { expect, test } from 'vitest';
import { bytesOf, noise, openDisk } from '../../contract/track-files.fixtures.ts';

/** A store that takes nothing before it is let. */
class SlowStore extends MemoryObjectStore {
  readonly let = Promise.withResolvers<void>();

  override async put(...given: Parameters<ObjectStore['put']>): ReturnType<ObjectStore['put']> {
    await this.let.promise;
    return super.put(...given);
  }
}

test('[RECS8] a file that is resumed while it is being closed goes on where it was', async () => {
  const objects = new SlowStore();
  await using disk = await openDisk(objects);
  const files = disk.files();
  const place = disk.place('a');
  const first = await files.create(place);
  first.append(Buffer.from('one '));
  const closing = first.close();
  const resuming = files.resume(place, 0);
  objects.let.resolve();
  const second = await resuming;
  expect(second.byteSize).toBe(4);
  second.append(Buffer.from('two'));
  await closing;
  const size = await second.close();
  await using opened = await files.open(place, size);
  expect((await bytesOf(opened)).toString()).toBe('one two');
  await files.close();
});

test('[RECS14] a disk on which no file can begin keeps nothing of the tries', async () => {
  await using disk = await openDisk();
  const { folder } = disk;
  const failing: JournalFolder = {
    create: async (name) => {
      const file = await folder.create(name);
      return {
        append: async () => {
          throw Object.assign(new Error('quota'), { code: 'EDQUOT' });
        },
        sync: () => file.sync(),
        close: () => file.close(),
      };
    },
    publish: (name) => folder.publish(name),
    discard: (name) => folder.discard(name),
    list: () => folder.list(),
    open: (name) => folder.open(name),
    remove: (name) => folder.remove(name),
    setAside: (name) => folder.setAside(name),
    lastWrittenAt: (name) => folder.lastWrittenAt(name),
    room: () => folder.room(),
  };
  const files = disk.files({ folder: failing });
  for (const letter of 'abc')
    await expect(files.create(disk.place(letter))).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  expect((await readdir(disk.path)).filter((name) => name !== 'unknown')).toEqual([]);
});

test('[RECS10] removing takes what lies behind a part that is gone', async () => {
  await using disk = await openDisk();
  const place = disk.place('a');
  const files = disk.files();
  const file = await files.create(place);
  for (let at = 0; at < 40; at += 1) {
    file.append(noise(1_500));
    await file.flush();
  }
  const { parts } = await file.close();
  expect(parts).toBeGreaterThan(3);
  await files.close();
  await disk.objects.delete(partKey(place, 1));
  await disk.files().remove(place, parts);
  const left: string[] = [];
  for await (const key of disk.objects.list('recordings/')) left.push(key);
  expect(left).toEqual([]);
});

test('[RECS32] what of a file lies before a journal that does not open is finished, and the journal is kept aside', async () => {
  await using disk = await openDisk();
  const place = disk.place('a');
  const first = disk.files();
  const file = await first.create(place);
  const bytes = noise(45_000);
  for (let at = 0; at < bytes.byteLength; at += 1_500) {
    file.append(bytes.subarray(at, at + 1_500));
    await file.flush();
  }
  const last = [...(await disk.folder.list())].sort().at(-1) ?? '';
  expect(last).not.toBe(journalName(place, 0));
  await writeFile(join(disk.path, last), randomBytes(5_000));
  const second = disk.files();
  await expect(second.settle(place, 0)).rejects.toMatchObject({ code: 'INTEGRITY' });
  const size = await second.salvage(place, 0);
  expect(size.byteSize).toBeGreaterThan(0);
  await using opened = await second.open(place, size);
  expect((await bytesOf(opened)).equals(bytes.subarray(0, size.byteSize))).toBe(true);
  expect((await readdir(join(disk.path, 'unknown'))).some((name) => name.endsWith(last))).toBe(true);
  await second.close();
  await first.close();
});
