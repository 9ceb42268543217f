import { type ChildProcess, spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import type { Readable } from 'node:stream';

/** What a child may use. Wall-clock time and output are always limited; the rest where there is `prlimit`. */
export interface ChildLimits {
  readonly wallClockMs: number;
  readonly cpuSeconds: number;
  /** Memory that is the process's own and writable, in bytes: heaps, stacks, decoded media. */
  readonly memoryBytes: number;
  readonly outputBytes: number;
}

export interface LimitedChildOptions {
  /** The program's path: no search path is used. */
  readonly command: string;
  readonly args: readonly string[];
  /** Written to the child's standard input, which is then closed. */
  readonly input: Uint8Array;
  readonly limits: ChildLimits;
  /** Where `prlimit` of util-linux is, or null where there is none. */
  readonly prlimitPath: string | null;
  /** Receives what the child writes to file descriptor 3, as it comes. */
  readonly onSideOutput?: (chunk: Buffer) => void;
}

/** How a child ended. `errors` is the end of its standard error: it may quote the input and is not for logs. */
export type ChildOutcome =
  | { readonly ended: 'exited'; readonly code: number; readonly output: Buffer; readonly errors: string }
  | { readonly ended: 'killed'; readonly signal: string; readonly output: Buffer }
  | { readonly ended: 'out of time' }
  | { readonly ended: 'too much output' }
  | { readonly ended: 'not started'; readonly cause: unknown };

/** Enough to see which streams a file has; a program that complains without end is not collected. */
const MAX_ERROR_BYTES = 64 * 1024;

/** What shells and loaders exit with when a program, or a library of it, cannot be loaded. */
const CANNOT_RUN = 126;
const NO_SUCH_PROGRAM = 127;

/** The child has no secrets to leak and no configuration to be led by; one heap arena keeps its memory small. */
const ENVIRONMENT = { MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '1', LC_ALL: 'C' };

/**
 * Runs a program on untrusted bytes: with pipes only, an empty environment, nothing written to any disk, no core
 * file, and killed when its time is over. Never throws: the outcome says how it ended.
 */
export async function runLimitedChild(options: LimitedChildOptions): Promise<ChildOutcome> {
  try {
    // `prlimit` would report a missing program as if the program itself had failed.
    await access(options.command, constants.X_OK);
  } catch (cause) {
    return { ended: 'not started', cause };
  }
  return run(options);
}

function run(options: LimitedChildOptions): Promise<ChildOutcome> {
  const { promise, resolve } = Promise.withResolvers<ChildOutcome>();
  const { limits, onSideOutput } = options;
  const [command, args] = limitedCommand(options);
  const child = spawn(command, args, {
    env: ENVIRONMENT,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe', ...(onSideOutput === undefined ? [] : (['pipe'] as const))],
  });

  let outcome: ChildOutcome | null = null;
  const stop = (reason: ChildOutcome): void => {
    outcome ??= reason;
    child.kill('SIGKILL');
  };
  const timer = setTimeout(() => stop({ ended: 'out of time' }), limits.wallClockMs);
  child.once('error', (cause) => {
    clearTimeout(timer);
    resolve({ ended: 'not started', cause });
  });

  const output = collect(child.stdout, limits.outputBytes, () => stop({ ended: 'too much output' }));
  const errors = collect(child.stderr, MAX_ERROR_BYTES, () => undefined);
  const side = child.stdio[3] as Readable | undefined;
  side?.on('data', (chunk: Buffer) => onSideOutput?.(chunk));
  feed(child, options.input);

  // `close` comes after the exit and after the last output was read.
  child.once('close', (code, signal) => {
    clearTimeout(timer);
    if (outcome !== null) resolve(outcome);
    else if (signal !== null) resolve({ ended: 'killed', signal, output: output() });
    else if (code === CANNOT_RUN || code === NO_SUCH_PROGRAM)
      resolve({ ended: 'not started', cause: new Error(errors().toString('utf8').slice(-200)) });
    else resolve({ ended: 'exited', code: code ?? 0, output: output(), errors: errors().toString('utf8') });
  });
  return promise;
}

/** Where `prlimit` is on this machine, or null. */
export async function findPrlimit(): Promise<string | null> {
  for (const path of ['/usr/bin/prlimit', '/bin/prlimit']) {
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return null;
}

function limitedCommand({ command, args, limits, prlimitPath }: LimitedChildOptions): [string, string[]] {
  if (prlimitPath === null) return [command, [...args]];
  return [
    prlimitPath,
    [
      // A file of size 0 is all it can write, and no core: no content reaches a disk even by mistake.
      '--fsize=0',
      '--core=0',
      '--nofile=64',
      `--cpu=${limits.cpuSeconds}`,
      `--data=${limits.memoryBytes}`,
      '--',
      command,
      ...args,
    ],
  ];
}

/** Keeps what arrives, up to a limit; calls `onOverflow` once beyond it and then lets everything pass by. */
function collect(stream: Readable | null, limit: number, onOverflow: () => void): () => Buffer {
  const chunks: Buffer[] = [];
  let byteSize = 0;
  stream?.on('data', (chunk: Buffer) => {
    if (byteSize > limit) return;
    byteSize += chunk.byteLength;
    if (byteSize > limit) onOverflow();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks);
}

/** A child that has seen enough closes its input; that is no error of ours. */
function feed(child: ChildProcess, input: Uint8Array): void {
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
}
