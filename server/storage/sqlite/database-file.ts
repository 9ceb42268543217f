import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../objects/durable-folder.ts';

/**
 * Makes an empty database file, and its folder, for their owner alone; SQLite gives the log and its index the same
 * permissions. One that is there is left alone: to open and close it here would take SQLite's locks off it.
 */
export async function makeDatabaseFile(path: string): Promise<void> {
  await makeFolder(dirname(path));
  try {
    await using _file = await open(path, 'wx', 0o600);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}
