// Starting other programs, in the two ways set-up needs: to read what they answer, and to let them print.

import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const IS_WINDOWS = process.platform === 'win32';

/**
 * Runs a program to its end without a terminal and returns its exit code and output. A program that cannot be
 * started at all answers code -1, because to set-up that is one more reason why an attempt failed.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number, shell?: boolean }} [options]
 * @returns {Promise<{ code: number, output: string }>} output holds stdout and stderr as they came
 */
export function capture(command, args, { cwd, env, timeoutMs, shell = false } = {}) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, {
      cwd,
      env,
      shell,
      timeout: timeoutMs,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const collect = (text) => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.once('error', (error) => resolve({ code: -1, output: error.message }));
    child.once('close', (code, signal) => {
      resolve({ code: code ?? -1, output: signal === null ? output : `${output}\nstopped by ${signal}` });
    });
  });
}

/** Runs a program that prints for the reader itself; returns its exit code. */
export function runVisibly(command, args, { cwd, env, shell = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, shell, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

/** The path of a program on PATH, or undefined. */
export function onPath(name, env = process.env) {
  const names = IS_WINDOWS ? [`${name}.exe`, `${name}.cmd`] : [name];
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    if (folder === '') continue;
    const found = names.map((candidate) => join(folder, candidate)).find(isExecutable);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The last lines of a program's output, which is where the reason stands. */
export function lastLines(output, count = 25) {
  return output.trimEnd().split('\n').slice(-count).join('\n');
}
