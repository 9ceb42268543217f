// Two set-ups may run at once: a second terminal, or two checkouts sharing one cache. Work that must not be
// done by both is done under a lock file that names the process holding it.

import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_AGAIN_MS = 500;
const BEAT_EVERY_MS = 5_000;

/** A holder that runs touches its file far more often than this. */
const SILENT_AFTER_MS = 30_000;

/**
 * Runs `work` while holding the lock file. Set-up can be killed at any moment, so the lock of a process that no
 * longer runs is taken over, and also one that has not been touched for long: the process id may belong to
 * somebody else by now, or to another container. `onWait` is called once, with the holder's process id, when
 * there is a wait.
 *
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} work
 * @param {(holder: number) => void} [onWait]
 * @returns {Promise<T>}
 */
export async function withLock(path, work, onWait = () => {}) {
  mkdirSync(dirname(path), { recursive: true });
  for (let waited = false; !tryLock(path); waited = true) {
    const holder = holderOf(path);
    if (holder !== undefined && (!isRunning(holder.pid) || holder.silentForMs > SILENT_AFTER_MS)) {
      rmSync(path, { force: true });
      continue;
    }
    if (!waited && holder !== undefined) onWait(holder.pid);
    await pause(LOOK_AGAIN_MS);
  }
  const beat = setInterval(() => touch(path), BEAT_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    rmSync(path, { force: true });
  }
}

function tryLock(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function touch(path) {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // Somebody deleted the file to get past the lock; the work goes on.
  }
}

/** Undefined while the holder is between creating the file and writing its id, or has just let go. */
function holderOf(path) {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    if (!Number.isInteger(pid) || pid <= 0) return undefined;
    return { pid, silentForMs: Date.now() - statSync(path).mtimeMs };
  } catch {
    return undefined;
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM means that it runs and belongs to somebody else.
    return error.code === 'EPERM';
  }
}
