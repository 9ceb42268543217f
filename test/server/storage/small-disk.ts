import { execFile } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tempDir } from '../../helpers/temp-dir.ts';

const run = promisify(execFile);
const BLOCK = Buffer.alloc(64 * 1024);

export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Takes all space that is left, to the last block. */
  fill(): Promise<void>;
  free(): Promise<void>;
}

/** A file system of its own in memory, or why there can be none here. */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk | string> {
  if (userInfo().uid !== 0) return 'mounting a small file system needs root';
  const dir = await tempDir();
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'tmpfs', dir.path]);
  } catch (error) {
    await dir[Symbol.asyncDispose]();
    return `mounting is not allowed here: ${String(error)}`;
  }
  const ballast = join(dir.path, 'ballast');
  return {
    path: dir.path,
    fill: () => fill(ballast),
    free: () => rm(ballast, { force: true }),
    [Symbol.asyncDispose]: async () => {
      await run('umount', ['--lazy', dir.path]);
      await dir[Symbol.asyncDispose]();
    },
  };
}

async function fill(path: string): Promise<void> {
  await using file = await open(path, 'a');
  for (let bytes = BLOCK.byteLength; bytes >= 512; )
    try {
      await file.write(BLOCK, 0, bytes);
    } catch {
      bytes /= 2;
    }
}
