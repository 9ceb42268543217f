// Notices that the npm which started this process has ended. A signal to `npm start` ends npm and the shell
// between npm and this process, and neither passes it on; without a look now and then the server would live on,
// and hold its port, after whoever started it believes to have stopped it.

import { readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 500;

const startedByNpm = process.env.npm_lifecycle_event !== undefined;
// Taken when the process starts, since npm may end while set-up is still at work.
const shell = process.ppid;
const npm = parentOf(shell);

/** Calls `end` once when npm has ended; does nothing for a process that npm did not start. */
export function whenNpmEnds(end) {
  if (!startedByNpm || process.platform === 'win32') return;
  const timer = setInterval(() => {
    if (process.ppid === shell && parentOf(shell) === npm) return;
    clearInterval(timer);
    end();
  }, LOOK_EVERY_MS);
  timer.unref();
}

/** Known on Linux only; elsewhere the shell's end is noticed and that of npm alone is not. */
function parentOf(pid) {
  try {
    // The program's name stands in brackets and may itself contain spaces and brackets.
    const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1);
    return Number(afterName?.split(' ')[1]);
  } catch {
    return undefined;
  }
}
