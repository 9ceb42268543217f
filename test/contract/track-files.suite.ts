/** What every adapter of files that grow keeps (server/recordings/ports.ts). */
import { partKey } from '@teleconsult/server/recordings/chunk-names';
import type { TrackFiles } from '@teleconsult/server/recordings/ports';
import { describe, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { bytesOf, type Disk, noise, openDisk } from './track-files.fixtures.ts';

export function trackFilesContract(
  adapter: string,
  open: (disk: Disk) => TrackFiles & { close(): Promise<void> },
): void {
  describe(`files that grow: ${adapter}`, () => {
    test('[RECS7] what was appended is read as a whole and in any range, across parts', async () => {
      await using disk = await openDisk();
      const files = open(disk);
      const place = disk.place('a');
      const file = await files.create(place);
      const pieces = Array.from({ length: 60 }, (_, index) => noise(1_500 + index));
      for (const piece of pieces) {
        file.append(piece);
        await file.flush();
      }
      const all = Buffer.concat(pieces);
      expect(file.byteSize).toBe(all.byteLength);
      const size = await file.close();
      expect(size.byteSize).toBe(all.byteLength);
      expect(size.parts).toBeGreaterThan(2);
      expect(await file.close()).toEqual(size);
      await using opened = await files.open(place, size);
      expect(opened.byteSize).toBe(all.byteLength);
      expect((await bytesOf(opened)).equals(all)).toBe(true);
      for (let index = 0; index < 100; index += 1) {
        const start = Math.floor(Math.random() * (all.byteLength + 1));
        const endExclusive = start + Math.floor(Math.random() * (all.byteLength - start + 1));
        const range = await bytesOf(opened, { start, endExclusive });
        expect(range.equals(all.subarray(start, endExclusive))).toBe(true);
      }
      await files.close();
    });

    test('[RECS7] what is appended while one part ends and the next begins is neither lost nor moved', async () => {
      await using disk = await openDisk();
      const files = open(disk);
      const place = disk.place('a');
      const file = await files.create(place);
      const pieces = Array.from({ length: 400 }, () => noise(1_000));
      // All in one turn, and again turn by turn: a part ends in the middle of either.
      for (const piece of pieces.slice(0, 200)) file.append(piece);
      for (const piece of pieces.slice(200)) {
        file.append(piece);
        await new Promise((resolve) => setImmediate(resolve));
      }
      const size = await file.close();
      await using opened = await files.open(place, size);
      expect((await bytesOf(opened)).equals(Buffer.concat(pieces))).toBe(true);
      await files.close();
    });

    test('[RECS8] a file goes on where it was, in this process and in the next', async () => {
      await using disk = await openDisk();
      const place = disk.place('a');
      const first = open(disk);
      const begun = await first.create(place);
      begun.append(Buffer.from('one '));
      await begun.flush();
      expect(await first.resume(place, 0)).toBe(begun);
      // The process ends here: nothing of it is closed.
      const second = open(disk);
      const resumed = await second.resume(place, 0);
      expect(resumed.byteSize).toBe(4);
      resumed.append(Buffer.from('two'));
      const size = await resumed.close();
      expect(size.byteSize).toBe(7);
      await using opened = await second.open(place, size);
      expect((await bytesOf(opened)).toString()).toBe('one two');
      await second.close();
      // What the system closes for a process that is gone.
      await first.close();
    });

    test('[RECS8] of two that resume a file at once both go on with the same', async () => {
      await using disk = await openDisk();
      const files = open(disk);
      const place = disk.place('a');
      const [one, other] = await Promise.all([files.resume(place, 0), files.resume(place, 0)]);
      expect(one).toBe(other);
      await files.close();
    });

    test('[RECS9] a file opens in no other place, with no other length, and not when a part is gone or another’s', async () => {
      await using disk = await openDisk();
      const files = open(disk);
      const [a, b] = [disk.place('a'), disk.place('b')];
      const sizes = [];
      for (const place of [a, b]) {
        const file = await files.create(place);
        for (let index = 0; index < 40; index += 1) {
          file.append(noise(2_000));
          await file.flush();
        }
        sizes.push(await file.close());
      }
      const [size] = sizes;
      if (size === undefined) throw new Error('no size');
      await expect(files.open(disk.place('c'), size)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      const longer = { ...size, byteSize: size.byteSize + 1 };
      await expect(files.open(a, longer)).rejects.toMatchObject({ code: 'INTEGRITY' });
      const fewer = { ...size, parts: size.parts - 1 };
      await expect(files.open(a, fewer)).rejects.toMatchObject({ code: 'INTEGRITY' });
      await using stolen = await disk.objects.open(partKey(b, 0));
      const foreign = await stolen.read(0, stolen.byteSize);
      await disk.objects.put(
        partKey(a, 1),
        (async function* () {
          yield foreign;
        })(),
      );
      await expect(files.open(a, size)).rejects.toMatchObject({ code: 'INTEGRITY' });
      await disk.objects.delete(partKey(a, 1));
      await expect(files.open(a, size)).rejects.toMatchObject({ code: 'INTEGRITY' });
      await files.close();
    });

    test('[RECS10] removing takes all of a file, while it grows and afterwards, and may be repeated', async () => {
      await using disk = await openDisk();
      const files = open(disk);
      const place = disk.place('a');
      const file = await files.create(place);
      for (let index = 0; index < 30; index += 1) {
        file.append(noise(2_000));
        await file.flush();
      }
      await files.remove(place);
      expect(await disk.folder.list()).toEqual([]);
      expect(await disk.objects.list('')[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
      await expect(files.open(place, { byteSize: 60_000, parts: 2 })).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
      await files.remove(place);
      await files.close();
    });

    test('[RECS11] while the object store is down a file grows on and can be read, and its parts follow later', async () => {
      await using disk = await openDisk();
      const files = open(disk);
      const place = disk.place('a');
      const file = await files.create(place);
      const pieces = Array.from({ length: 40 }, () => noise(2_000));
      disk.objects.nextCall?.('unavailable');
      for (const piece of pieces) {
        file.append(piece);
        await file.flush();
      }
      const size = await file.close();
      await using opened = await files.open(place, size);
      expect((await bytesOf(opened)).equals(Buffer.concat(pieces))).toBe(true);
      await eventually('all journals to be parts', async () => (await disk.folder.list()).length === 0);
      await using again = await files.open(place, size);
      expect((await bytesOf(again)).equals(Buffer.concat(pieces))).toBe(true);
      await files.close();
    });
  });
}
