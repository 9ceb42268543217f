// Runs the server as a process of its own that shares the fate of this one.

import { spawn } from 'node:child_process';
import os from 'node:os';
import { whenNpmEnds } from './npm-parent.mjs';
import { ROOT } from './paths.mjs';

const END_WITH_PARENT = new URL('end-with-parent.mjs', import.meta.url).href;

/** Ctrl-C reaches this process from the terminal, and sometimes again from npm; the server shall see one. */
const SAME_SIGNAL_WITHIN_MS = 500;

/**
 * Starts `entry` and resolves with its exit code when it ends; 128 and the signal's number if a signal ended it,
 * as shells count. Signals sent to this process are passed on, and if this process or the npm that runs it is
 * killed, the server shuts down.
 *
 * @param {object} options
 * @param {string} options.nodeBin
 * @param {NodeJS.ProcessEnv} options.env
 * @param {string} options.entry the server's main module
 * @param {string[]} [options.args]
 * @returns {Promise<number>}
 */
export function runServer({ nodeBin, env, entry, args = [] }) {
  const server = spawn(nodeBin, ['--import', END_WITH_PARENT, entry, ...args], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // In a process group of its own the server gets signals from here only, and not a second time from the
    // terminal: two in a row would ask it to stop without finishing what it does.
    detached: process.platform !== 'win32',
  });
  forwardSignals(server);
  whenNpmEnds(() => server.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', (code, signal) => resolve(code ?? 128 + (os.constants.signals[signal] ?? 0)));
  });
}

function forwardSignals(server) {
  const lastAt = new Map();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      const now = Date.now();
      if (now - (lastAt.get(signal) ?? 0) < SAME_SIGNAL_WITHIN_MS) return;
      lastAt.set(signal, now);
      server.kill(signal);
    });
  }
}
