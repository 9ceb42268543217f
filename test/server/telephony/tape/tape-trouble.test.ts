import { join } from 'node:path';
import { DiskJournalFolder, type JournalFolder } from '@teleconsult/server/recordings/journal-folder';
import type { GrowingFile, TrackFiles } from '@teleconsult/server/recordings/ports';
import { Recovery } from '@teleconsult/server/recordings/recovery';
import { expect, test } from 'vitest';
import { noLog, openDisk } from '../../../contract/track-files.fixtures.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { smallDisk } from '../../../helpers/small-disk.ts';
import { aCall, openTapeStage, packets, phoneSound, type TapeStage } from './tape.fixtures.ts';

const both = () => ({ left: true, right: true });

const recoveryOf = (stage: TapeStage, files = stage.disk.files()): Recovery =>
  new Recovery({
    store: stage.store,
    files,
    clock: () => stage.time.now,
    log: noLog,
    news: { changed: () => undefined },
    keyOf: async () => stage.key,
    recordingOf: async () => null,
    measuring: () => undefined,
    signal: AbortSignal.timeout(60_000),
  });

/** A folder whose journals stop being written when they are told to. */
function breaking(folder: JournalFolder): {
  readonly folder: JournalFolder;
  readonly break: (code: string) => void;
  /** What is written from now on waits for this. */
  readonly stall: (until: Promise<void>) => void;
} {
  let broken: string | null = null;
  let stalled: Promise<void> = Promise.resolve();
  const check = (): void => {
    if (broken !== null) throw Object.assign(new Error('a disk that breaks'), { code: broken });
  };
  return {
    break: (code) => {
      broken = code;
    },
    stall: (until) => {
      stalled = until;
    },
    folder: {
      create: async (name) => {
        const file = await folder.create(name);
        return {
          append: async (bytes) => {
            await stalled;
            check();
            await file.append(bytes);
          },
          sync: async () => {
            check();
            await file.sync();
          },
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
    },
  };
}

test('[TAP31] on a full disk the tape ends, keeps what it has and says why; the call goes on, and the next has a tape when there is room', async (context) => {
  const mounted = await smallDisk();
  if (typeof mounted === 'string') return context.skip(mounted);
  await using small = mounted;
  await using disk = await openDisk();
  const folder = await DiskJournalFolder.open(join(small.path, 'recordings'));
  const files = disk.files({ folder, limits: { bytes: 64 * 1024 * 1024, ms: 60_000 } });
  await using stage = await openTapeStage({ disk, files });
  const sound = phoneSound(60, both);
  const tape = await stage.tapes.open(aCall());
  let appended = 0;
  await eventually(
    'the disk to be full',
    async () => {
      // The call goes on whatever becomes of its tape.
      if (appended < 8) tape?.append(sound);
      appended += 1;
      return (await stage.stateOf()) === 'ready';
    },
    { withinMs: 30_000 },
  );
  tape?.append(sound);
  await tape?.close();
  const [file] = await stage.filesOf();
  expect(file?.stored.state).toBe('truncated');
  expect(file?.facts.truncated?.reason).toBe('storage_failed');
  const bytes = file?.bytes ?? Buffer.alloc(0);
  expect(bytes.byteLength).toBeGreaterThan(1_000_000);
  const sent = Buffer.concat(Array.from({ length: 8 }, () => sound));
  expect(bytes.equals(sent.subarray(0, bytes.byteLength))).toBe(true);
  expect(file?.facts.durationMs).toBe(Math.round((bytes.byteLength - (bytes.byteLength % 2)) / 16));
  const next = await stage.tapes.open(aCall(2));
  next?.append(sound.subarray(0, 16_000));
  await next?.close();
  expect((await stage.filesOf(2)).map(({ stored }) => stored.state)).toEqual(['whole']);
  await files.close();
  return undefined;
}, 60_000);

test('[TAP31] a disk that fails with the last bytes of a call is told of, although nobody appends any more', async () => {
  await using disk = await openDisk();
  const trouble = breaking(disk.folder);
  const files = disk.files({ folder: trouble.folder });
  await using stage = await openTapeStage({ disk, files });
  const tape = await stage.tapes.open(aCall());
  const sound = phoneSound(4, both);
  tape?.append(sound.subarray(0, 16_000));
  await eventually('something to be on the disk', async () => {
    const [name] = await disk.folder.list();
    await using source = await disk.folder.open(name ?? '');
    return source.byteSize > 16_000;
  });
  trouble.break('EIO');
  tape?.append(sound.subarray(16_000, 32_000));
  await tape?.close();
  const [file] = await stage.filesOf();
  expect(file?.facts.truncated?.reason).toBe('storage_failed');
  expect(file?.bytes.equals(sound.subarray(0, 16_000))).toBe(true);
  await files.close();
});

test('[TAP31] a disk that stands still costs the tape after a bounded backlog, and never holds up the call', async () => {
  await using disk = await openDisk();
  const trouble = breaking(disk.folder);
  const files = disk.files({ folder: trouble.folder, limits: { bytes: 64 * 1024 * 1024, ms: 60_000 } });
  await using stage = await openTapeStage({ disk, files });
  const tape = await stage.tapes.open(aCall());
  const minute = phoneSound(60, both);
  const moving = Promise.withResolvers<void>();
  trouble.stall(moving.promise);
  for (let count = 0; count < 8; count += 1) tape?.append(minute);
  expect(stage.logged).toContainEqual(
    expect.objectContaining({
      step: 'recording.tapeLost',
      fields: expect.objectContaining({ reason: 'storage_failed', code: 'STORAGE_UNAVAILABLE' }),
    }),
  );
  moving.resolve();
  await tape?.close();
  expect((await stage.filesOf()).every(({ stored }) => stored.state === 'truncated')).toBe(true);
  await files.close();
});

test('[TAP32] after a kill tapes are finished as far as they go, with the length of what is there, and their recordings end', async () => {
  await using stage = await openTapeStage();
  const sound = phoneSound(2, both);
  const tape = await stage.tapes.open(aCall());
  for (const packet of packets(sound)) tape?.append(packet);
  const [before] = await stage.filesOf();
  expect(before?.stored.state).toBe('growing');
  await eventually('all of it to be on the disk', async () => {
    const [name] = await stage.disk.folder.list();
    await using source = await stage.disk.folder.open(name ?? '');
    return source.byteSize > sound.byteLength;
  });
  // The process that had the tape is as good as dead from here on.
  const recovery = recoveryOf(stage);
  await recovery.finishFiles();
  await recovery.endRecordings();
  const [file] = await stage.filesOf();
  expect(file?.stored.state).toBe('truncated');
  expect(file?.facts).toMatchObject({ durationMs: 2_000, truncated: { reason: 'server_stopped' } });
  expect(file?.bytes.equals(sound)).toBe(true);
  expect(await stage.stateOf()).toBe('ready');
});

test('[TAP33] taking up what a process before has left touches no phone call that is recorded since', async () => {
  await using stage = await openTapeStage();
  const recovery = recoveryOf(stage);
  await recovery.finishFiles();
  const tape = await stage.tapes.open(aCall());
  tape?.append(phoneSound(1, both));
  await recovery.endRecordings();
  expect(await stage.stateOf()).toBe('running');
  await tape?.close();
  expect((await stage.filesOf()).map(({ stored }) => stored.state)).toEqual(['whole']);
  expect(await stage.stateOf()).toBe('ready');
});

test('[TAP34] a long call is divided into parts and keeps every sample', async () => {
  await using disk = await openDisk();
  const real = disk.files({ limits: { bytes: 500_000, ms: 600_000 } });
  const growing: GrowingFile[] = [];
  const files: TrackFiles = {
    create: async (place) => {
      const file = await real.create(place);
      growing.push(file);
      return file;
    },
    resume: (place, parts) => real.resume(place, parts),
    open: (place, size) => real.open(place, size),
    remove: (place, parts) => real.remove(place, parts),
  };
  await using stage = await openTapeStage({ disk, files });
  const minute = phoneSound(60, both);
  const tape = await stage.tapes.open(aCall());
  for (let count = 0; count < 30; count += 1) {
    minute.writeUInt32BE(count);
    tape?.append(minute);
    // No faster than a disk takes it; on the phone a minute takes a minute.
    await growing[0]?.flush();
  }
  await tape?.close();
  const [file] = await stage.filesOf();
  expect(file?.stored).toMatchObject({ state: 'whole', byteSize: 30 * minute.byteLength });
  expect(file?.stored.parts).toBeGreaterThan(25);
  expect(file?.facts.durationMs).toBe(1_800_000);
  for (let count = 0; count < 30; count += 1) {
    const from = count * minute.byteLength;
    expect(file?.bytes.readUInt32BE(from)).toBe(count);
    expect(file?.bytes.compare(minute, 4, undefined, from + 4, from + minute.byteLength)).toBe(0);
  }
  await real.close();
}, 60_000);
