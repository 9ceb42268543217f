import { type ChildProcess, execFile, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { AppError } from '@teleconsult/protocol';
import { DiskJournalFolder } from '@teleconsult/server/recordings/journal-folder';
import { LocalTrackFiles } from '@teleconsult/server/recordings/local-track-files';
import { DiskObjectStore } from '@teleconsult/server/storage/objects/disk';
import { ConsultationKey } from '@teleconsult/server/vault/consultation-key';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { expect, test } from 'vitest';
import { bytesOf, consultationId, fileId, noLog, recordingId } from '../contract/track-files.fixtures.ts';

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL('growing-file.fixture.ts', import.meta.url));
const RECORD_BYTES = 1_250;
/** Milliseconds after the beginning at which the power goes. */
const CUTS_MS = [900, 2_300, 3_100, 4_700, 6_000];
/** What a power cut may cost. */
const MOST_LOST_MS = 2_000;

/** A disk of its own whose power can be cut: a file system in a file in memory. */
interface Disk extends AsyncDisposable {
  readonly path: string;
  /** What the disk holds at this moment, as another disk; what was only in the system's memory is not there. */
  afterPowerCut(): Promise<Disk>;
}

async function openDisk(from?: string): Promise<Disk> {
  const folder = await mkdtemp('/dev/shm/teleconsult-power-');
  const [image, path] = [join(folder, 'image'), join(folder, 'disk')];
  await mkdir(path);
  if (from === undefined) {
    await run('truncate', ['-s', '48M', image]);
    await run('mkfs.ext4', ['-q', '-F', image]);
  } else await copyFile(from, image);
  await run('mount', ['-o', 'loop', image, path]);
  return {
    path,
    afterPowerCut: () => openDisk(image),
    [Symbol.asyncDispose]: async () => {
      await run('umount', [path]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Why there can be no such disk here; null: there can. */
async function missing(): Promise<string | null> {
  if (userInfo().uid !== 0) return 'mounting a file system needs root';
  try {
    await (await openDisk())[Symbol.asyncDispose]();
    return null;
  } catch (error) {
    return `a loop device cannot be mounted here: ${String(error)}`;
  }
}
const why = await missing();

async function startWriting(
  path: string,
  secret: Buffer,
  way: 'careful' | 'careless',
): Promise<ChildProcess> {
  const child = fork(PROGRAM, [path, way], { env: { ...process.env, SECRET: secret.toString('hex') } });
  await once(child, 'message');
  return child;
}

/** The moment that was appended last, of what is left on a disk; null when nothing is. */
async function lastMoment(path: string, secret: Buffer): Promise<number | null> {
  const files = new LocalTrackFiles({
    folder: await DiskJournalFolder.open(join(path, 'recordings')),
    objects: await DiskObjectStore.open(join(path, 'objects')),
    vault: new Vault(await openLocalKeyFile({ path: join(path, 'keys', 'k.json'), mayCreate: true, now: 0 })),
    log: noLog,
    clock: Date.now,
    roomToBegin: 0,
  });
  const key = new ConsultationKey(consultationId, secret);
  const place = { consultationId, recordingId, fileId: fileId('P'), key };
  const size = await files.settle(place, 0);
  if (size.byteSize === 0) return null;
  await using opened = await files.open(place, size);
  const bytes = await bytesOf(opened);
  const whole = Math.floor(bytes.byteLength / RECORD_BYTES);
  await files.close();
  return whole === 0 ? null : bytes.readDoubleBE((whole - 1) * RECORD_BYTES);
}

/** A file of which nothing opens any more is lost from its beginning. */
const readable = (path: string, secret: Buffer): Promise<number | null> =>
  lastMoment(path, secret).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'INTEGRITY') return null;
    throw error;
  });

/** How much each of the cuts cost, in milliseconds. */
async function lostBy(way: 'careful' | 'careless'): Promise<number[]> {
  const secret = randomBytes(32);
  const lost: number[] = [];
  await using disk = await openDisk();
  const child = await startWriting(disk.path, secret, way);
  const began = Date.now();
  try {
    for (const cut of CUTS_MS) {
      await wait(Math.max(0, began + cut - Date.now()));
      child.kill('SIGSTOP');
      const at = Date.now();
      await using left = await disk.afterPowerCut();
      child.kill('SIGCONT');
      lost.push(at - ((await readable(left.path, secret)) ?? began));
    }
  } finally {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
  return lost;
}

test.skipIf(why !== null)(
  `[RECS42] [M2] a power cut costs a file that grows two seconds at most${why === null ? '' : ` (${why})`}`,
  async () => {
    const lost = await lostBy('careful');
    console.log(`lost by power cuts, in ms: ${lost.map(Math.round).join(' ')}`);
    expect(Math.max(...lost)).toBeLessThan(MOST_LOST_MS);
  },
  90_000,
);

test.skipIf(why !== null)(
  `[RECS42 sabotage] a file that is never synced costs more${why === null ? '' : ` (${why})`}`,
  async () => {
    const lost = await lostBy('careless');
    expect(Math.max(...lost)).toBeGreaterThan(MOST_LOST_MS);
  },
  90_000,
);
