import { execFile } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A file system of 4 MB in memory, or why there can be none here. */
export async function smallDisk(): Promise<({ readonly path: string } & AsyncDisposable) | string> {
  if (userInfo().uid !== 0) return 'mounting a small file system needs root';
  const path = await mkdtemp(join(tmpdir(), 'teleconsult-full-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=0700', 'tmpfs', path]);
  } catch (error) {
    await rmdir(path);
    return `mounting is not allowed here: ${String(error)}`;
  }
  const unmount = async () => {
    await run('umount', [path]);
    await rmdir(path);
  };
  return { path, [Symbol.asyncDispose]: unmount };
}
