import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const STOP_MS = 10_000;

export interface Child extends AsyncDisposable {
  /** Lines of standard output so far. */
  readonly lines: readonly string[];
  /** Everything on standard error so far. */
  errors(): string;
  /** The first line that fits; rejects when the process ends without one. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Runs a program of the checkout in a process of its own, with no settings but those given. */
export function startChild(path: string, env: Readonly<Record<string, string>> = {}): Child {
  const file = fileURLToPath(new URL(`../../${path}`, import.meta.url));
  const process_ = spawn(process.execPath, [file], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let errors = '';
  let changed: () => void = () => undefined;
  createInterface(process_.stdout).on('line', (line) => {
    lines.push(line);
    changed();
  });
  process_.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
  });
  const ended = once(process_, 'close').then(([code, signal]) => {
    changed();
    return (code ?? signal) as number | NodeJS.Signals;
  });
  return {
    lines,
    errors: () => errors,
    ended,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          for (const line of lines) {
            const found = pattern.exec(line);
            if (found !== null) resolve(found);
          }
        };
        changed = look;
        look();
        void ended.then((code) => reject(new Error(`ended with ${code} before that line: ${errors}`)));
      }),
    async [Symbol.asyncDispose]() {
      process_.kill('SIGTERM');
      const cut = setTimeout(() => process_.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(cut);
    },
  };
}
