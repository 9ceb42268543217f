import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { journalName } from '@teleconsult/server/recordings/chunk-names';
import { DiskJournalFolder, type JournalFolder } from '@teleconsult/server/recordings/journal-folder';
import type { ObjectStore } from '@teleconsult/server/storage/objects/object-store';
import type { AppendFile } from '@teleconsult/server/vault/sealed-journal';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { smallDisk } from '../helpers/small-disk.ts';
import { bytesOf, type Disk, noise, openDisk, SMALL_CHUNKS } from './track-files.fixtures.ts';
import { trackFilesContract } from './track-files.suite.ts';

trackFilesContract('journals on the local disk', (disk) => disk.files());

/** What stands between the files and the disk: from the step at which the process is killed nothing happens any more. */
class Kill implements AsyncDisposable {
  steps = 0;
  readonly #at: number;
  /** What the system closes for a process that was killed. */
  readonly #open: { close(): Promise<void> }[] = [];

  constructor(at: number) {
    this.#at = at;
  }

  get isDead(): boolean {
    return this.steps >= this.#at;
  }

  /** Before the step it is one of the living or never comes back. `half`: what a kill in the middle does. */
  async step<T>(act: () => Promise<T>, half?: () => Promise<unknown>): Promise<T> {
    if (this.isDead) return new Promise<never>(() => {});
    this.steps += 1;
    if (!this.isDead) return act();
    await half?.();
    return new Promise<never>(() => {});
  }

  folder(real: JournalFolder): JournalFolder {
    const file = (inner: AppendFile): AppendFile => ({
      append: (bytes) =>
        this.step(
          () => inner.append(bytes),
          () => inner.append(bytes.subarray(0, bytes.byteLength / 2)),
        ),
      sync: () => this.step(() => inner.sync()),
      close: () => inner.close(),
    });
    return {
      create: (name) => this.step(async () => file(this.#held(await real.create(name)))),
      publish: (name) => this.step(() => real.publish(name)),
      discard: (name) => this.step(() => real.discard(name)),
      list: () => real.list(),
      open: (name) => this.step(async () => this.#held(await real.open(name))),
      remove: (name) => this.step(() => real.remove(name)),
      setAside: (name) => this.step(() => real.setAside(name)),
      lastWrittenAt: (name) => real.lastWrittenAt(name),
      room: () => real.room(),
    };
  }

  objects(real: ObjectStore): ObjectStore {
    return {
      put: (key, bytes, options) =>
        this.step(async () => {
          const chunks: Uint8Array[] = [];
          for await (const chunk of bytes) chunks.push(chunk);
          return real.put(
            key,
            (async function* () {
              yield* chunks;
            })(),
            options,
          );
        }),
      open: (key) => this.step(() => real.open(key)),
      head: (key) => this.step(() => real.head(key)),
      delete: (key) => this.step(() => real.delete(key)),
      list: (prefix) => real.list(prefix),
    };
  }

  #held<T extends { close(): Promise<void> }>(opened: T): T {
    this.#open.push(opened);
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opened of this.#open) await opened.close();
  }
}

const PIECES = 18;
const PIECE_BYTES = 1_000;
const piece = (index: number): Buffer =>
  Buffer.concat(
    Array.from({ length: PIECE_BYTES / 20 }, () => createHash('sha1').update(`${index}`).digest()),
  );

/** Appends and flushes until it is done or killed; answers how many pieces were flushed. */
async function playUntilKilled(disk: Disk, kill: Kill): Promise<number> {
  const files = disk.files({ folder: kill.folder(disk.folder), objects: kill.objects(disk.objects) });
  let flushed = 0;
  const play = async () => {
    const file = await files.create(disk.place('a'));
    for (let index = 0; index < PIECES; index += 1) {
      file.append(piece(index));
      await file.flush();
      flushed = index + 1;
    }
    await file.close();
  };
  const dead = eventually('the kill', () => kill.isDead, { withinMs: 20_000 });
  dead.catch(() => undefined);
  await Promise.race([play(), dead]);
  return flushed;
}

test('[RECS12] a kill at any step loses nothing that was flushed, doubles nothing, and leaves nothing behind', async () => {
  await using whole = await openDisk();
  await using untouched = new Kill(Number.POSITIVE_INFINITY);
  expect(await playUntilKilled(whole, untouched)).toBe(PIECES);
  expect(untouched.steps).toBeGreaterThan(2 * PIECES);
  const all = Buffer.concat(Array.from({ length: PIECES }, (_, index) => piece(index)));
  for (let at = 1; at <= untouched.steps; at += 1) {
    await using disk = await openDisk();
    await using kill = new Kill(at);
    const flushed = await playUntilKilled(disk, kill);
    // A second process is killed while it settles what the first left, and the third has it all.
    await using settling = new Kill(1 + (at % 7));
    const second = disk.files({
      folder: settling.folder(disk.folder),
      objects: settling.objects(disk.objects),
    });
    let isSettled = false;
    void second.settle(disk.place('a'), 0).then(() => {
      isSettled = true;
    });
    await eventually('the second kill or end', () => settling.isDead || (isSettled && second.pending === 0));
    const folder = await DiskJournalFolder.open(disk.path);
    const third = disk.files({ folder });
    const size = await third.settle(disk.place('a'), 0);
    expect(size.byteSize, `step ${at}`).toBeGreaterThanOrEqual(flushed * PIECE_BYTES);
    expect(size.byteSize, `step ${at}`).toBeLessThanOrEqual(Math.min(PIECES, flushed + 1) * PIECE_BYTES);
    if (size.byteSize > 0) {
      await using opened = await third.open(disk.place('a'), size);
      expect((await bytesOf(opened)).equals(all.subarray(0, size.byteSize)), `step ${at}`).toBe(true);
    }
    await eventually('no journal to be left', async () => (await folder.list()).length === 0);
    if (size.byteSize > 0) {
      await using opened = await third.open(disk.place('a'), size);
      expect((await bytesOf(opened)).equals(all.subarray(0, size.byteSize)), `step ${at}`).toBe(true);
    }
    await third.close();
  }
}, 60_000);

test('[RECS12 sabotage] a journal that is removed before its part is stored is noticed', async () => {
  await using disk = await openDisk();
  await using kill = new Kill(Number.POSITIVE_INFINITY);
  const { objects } = disk;
  const forgetful: ObjectStore = { ...kill.objects(objects), put: async () => ({ byteSize: 1 }) };
  const files = disk.files({ objects: forgetful });
  const file = await files.create(disk.place('a'));
  file.append(noise(10));
  const size = await file.close();
  await expect(disk.files().open(disk.place('a'), size)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('[RECS13] the folder and the journals are for their owner alone, and hold nothing in the clear', async () => {
  await using disk = await openDisk();
  const files = disk.files();
  const file = await files.create(disk.place('a'));
  const canary = Buffer.from('OpusHead canary OpusTags \x1a\x45\xdf\xa3', 'latin1');
  file.append(canary);
  await file.flush();
  expect((await stat(disk.path)).mode & 0o777).toBe(0o700);
  const names = (await readdir(disk.path)).filter((name) => name.endsWith('.journal'));
  expect(names).toEqual([journalName(disk.place('a'), 0)]);
  for (const name of names) {
    expect((await stat(join(disk.path, name))).mode & 0o777).toBe(0o600);
    const bytes = await readFile(join(disk.path, name));
    for (const word of ['OpusHead', 'canary', 'OpusTags']) expect(bytes.includes(word)).toBe(false);
  }
  await file.close();
  await files.close();
});

test('[M5] [D4] [RECS14] on a full disk a file ends with STORAGE_FULL, what is there is read, and a new one begins when there is room', async (context) => {
  const mounted = await smallDisk();
  if (typeof mounted === 'string') return context.skip(mounted);
  await using small = mounted;
  await using disk = await openDisk();
  const folder = await DiskJournalFolder.open(join(small.path, 'recordings'));
  const limits = { bytes: 64 * 1024 * 1024, ms: 60_000 };
  const files = disk.files({ folder, limits, roomToBegin: 200_000 });
  const file = await files.create(disk.place('a'));
  const pieces: Buffer[] = [];
  let refused: unknown = null;
  await eventually('the disk to be full', () => {
    try {
      const bytes = noise(30_000);
      file.append(bytes);
      pieces.push(bytes);
      return false;
    } catch (error) {
      refused = error;
      return true;
    }
  });
  expect(refused).toMatchObject({ code: 'STORAGE_FULL' });
  await expect(files.create(disk.place('b'))).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  const size = await file.close();
  expect(size.byteSize).toBeGreaterThan(2_000_000);
  await using opened = await files.open(disk.place('a'), size);
  expect((await bytesOf(opened)).equals(Buffer.concat(pieces).subarray(0, size.byteSize))).toBe(true);
  // Its journal became a part of the object store, and so the disk has room again.
  const next = await eventually('room for a new file', () => files.create(disk.place('b')).catch(() => null));
  next.append(Buffer.from('on it goes'));
  expect((await next.close()).byteSize).toBe(10);
  await files.close();
  await rm(join(small.path, 'recordings'), { recursive: true });
  return undefined;
});

test('[D5] [RECS14] after a failed sync the file ends, is not synced again, and what was flushed is read', async () => {
  await using disk = await openDisk();
  let syncs = 0;
  let isBroken = false;
  const folder: JournalFolder = Object.assign(Object.create(disk.folder) as JournalFolder, {
    create: async (name: string): Promise<AppendFile> => {
      const inner = await disk.folder.create(name);
      return {
        append: (bytes) => inner.append(bytes),
        sync: async () => {
          syncs += 1;
          if (isBroken) throw Object.assign(new Error('EIO'), { code: 'EIO' });
          await inner.sync();
        },
        close: () => inner.close(),
      };
    },
  });
  const files = disk.files({ folder: bound(folder, disk.folder) });
  const file = await files.create(disk.place('a'));
  file.append(Buffer.from('kept'));
  await file.flush();
  isBroken = true;
  file.append(Buffer.from('?'));
  await expect(file.flush()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  const after = syncs;
  isBroken = false;
  expect(() => file.append(Buffer.from('x'))).toThrow(
    expect.objectContaining({ code: 'STORAGE_UNAVAILABLE' }),
  );
  const size = await file.close();
  expect(syncs).toBe(after);
  await using opened = await files.open(disk.place('a'), size);
  expect((await bytesOf(opened)).toString().startsWith('kept')).toBe(true);
  await files.close();
});

/** The methods of `real` with those of `change` in their place. */
const bound = (change: JournalFolder, real: JournalFolder): JournalFolder => ({
  create: (name) => change.create(name),
  publish: (name) => real.publish(name),
  discard: (name) => real.discard(name),
  list: () => real.list(),
  open: (name) => real.open(name),
  remove: (name) => real.remove(name),
  setAside: (name) => real.setAside(name),
  lastWrittenAt: (name) => real.lastWrittenAt(name),
  room: () => real.room(),
});

test('[RECS15] what nobody knows of is told and set aside, never removed', async () => {
  await using disk = await openDisk();
  await writeFile(join(disk.path, 'strange'), 'x');
  const files = disk.files();
  const file = await files.create(disk.place('a'));
  file.append(noise(10));
  await file.flush();
  const { files: stored, strange } = await disk.files().stored();
  expect(strange).toEqual(['strange']);
  expect(stored.map(({ fileId, indexes }) => ({ fileId, indexes }))).toEqual([
    { fileId: disk.place('a').fileId, indexes: [0] },
  ]);
  await files.setAside(['strange']);
  expect(await disk.folder.list()).not.toContain('strange');
  const [kept] = await readdir(join(disk.path, 'unknown'));
  expect(await readFile(join(disk.path, 'unknown', kept ?? ''), 'utf8')).toBe('x');
  await file.close();
  await files.close();
});

test('[RECS7] a part ends by time as well as by size', async () => {
  await using disk = await openDisk();
  let now = 0;
  const files = disk.files({ clock: () => now, limits: { ...SMALL_CHUNKS, ms: 1_000 } });
  const file = await files.create(disk.place('a'));
  for (const at of [0, 999, 1_000, 1_500, 2_100]) {
    now = at;
    file.append(Buffer.from('x'));
    await file.flush();
  }
  const size = await file.close();
  expect(size).toEqual({ byteSize: 5, parts: 2 });
  await files.close();
});
