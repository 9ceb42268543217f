import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { Readable } from 'node:stream';

/** What a child may use. Wall-clock time and output are always limited; the rest where there is `prlimit`. */
export interface ChildLimits {
  readonly wallClockMs: number;
  readonly cpuSeconds: number;
  /** Memory that is the process's own and writable, in bytes: heaps, stacks, decoded media. */
  readonly memoryBytes: number;
  readonly outputBytes: number;
}

export interface LimitedChildOptions {
  /** The program's path, or its name if it is where programs usually are. */
  readonly command: string;
  readonly args: readonly string[];
  /** Written to the child's standard input, which is then closed. */
  readonly input: Uint8Array;
  readonly limits: ChildLimits;
  /** Where `prlimit` of util-linux is, or null where there is none. */
  readonly prlimitPath: string | null;
  /** Receives what the child writes to file descriptor 3, as it comes. */
  readonly onSideOutput?: (chunk: Buffer) => void;
  /** Kills the child, for when the server closes. */
  readonly signal?: AbortSignal | undefined;
}

/** How a child ended. `errors` is the end of its standard error: it may quote the input and is not for logs. */
export type ChildOutcome =
  | { readonly ended: 'exited'; readonly code: number; readonly output: Buffer; readonly errors: string }
  | { readonly ended: 'killed'; readonly signal: string; readonly output: Buffer }
  | { readonly ended: 'out of time' }
  | { readonly ended: 'given up' }
  | { readonly ended: 'too much output' }
  | { readonly ended: 'not started'; readonly cause: unknown };

/** Enough to see which streams a file has; a program that complains without end is not collected. */
const MAX_ERROR_BYTES = 64 * 1024;

/** The server's own search path is not used: a child is chosen by the configuration or by the system, nothing else. */
const PROGRAM_FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin', '/opt/homebrew/bin'];

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
  // `prlimit` would report a missing program as if the program itself had failed.
  const command = await findProgram(options.command);
  if (command === null) return { ended: 'not started', cause: new Error('There is no such program.') };
  if (options.signal?.aborted) return { ended: 'given up' };
  return run({ ...options, command });
}

function run(options: LimitedChildOptions): Promise<ChildOutcome> {
  const { limits, onSideOutput, signal } = options;
  const [command, args] = limitedCommand(options);
  const { promise, resolve } = Promise.withResolvers<ChildOutcome>();
  const child = spawn(command, args, {
    env: ENVIRONMENT,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe', onSideOutput === undefined ? 'ignore' : 'pipe'],
  });

  let stopped: ChildOutcome | null = null;
  const stop = (reason: ChildOutcome): void => {
    stopped ??= reason;
    child.kill('SIGKILL');
  };
  const giveUp = () => stop({ ended: 'given up' });
  const timer = setTimeout(() => stop({ ended: 'out of time' }), limits.wallClockMs);
  signal?.addEventListener('abort', giveUp);
  const end = (outcome: ChildOutcome): void => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
    resolve(outcome);
  };
  child.once('error', (cause) => end({ ended: 'not started', cause }));
  // Where the system is out of file descriptors or processes there are no pipes, and `error` follows.
  const { stdin, stdout, stderr } = child;
  if (!stdin || !stdout || !stderr) return promise;

  const output = collect(stdout, limits.outputBytes, () => stop({ ended: 'too much output' }));
  const errors = collect(stderr, MAX_ERROR_BYTES, () => undefined);
  const side = child.stdio[3];
  if (onSideOutput !== undefined && side instanceof Readable) side.on('data', onSideOutput);
  // A child that has seen enough closes its input; that is no error of ours.
  stdin.on('error', () => undefined);
  stdin.end(options.input);
  // `close` comes after the exit and after the last output was read.
  child.once('close', (code, killer) => end(stopped ?? outcomeOf({ code, killer, output, errors })));
  return promise;
}

interface Ending {
  readonly code: number | null;
  readonly killer: NodeJS.Signals | null;
  readonly output: () => Buffer;
  readonly errors: () => Buffer;
}

function outcomeOf({ code, killer, output, errors }: Ending): ChildOutcome {
  if (killer !== null) return { ended: 'killed', signal: killer, output: output() };
  if (code === CANNOT_RUN || code === NO_SUCH_PROGRAM)
    return { ended: 'not started', cause: new Error(errors().toString('utf8').slice(-200)) };
  return { ended: 'exited', code: code ?? 0, output: output(), errors: errors().toString('utf8') };
}

/** The path of a program that is given by its path or, if it is where programs usually are, by its name; or null. */
export async function findProgram(nameOrPath: string): Promise<string | null> {
  const isPath = nameOrPath.includes('/');
  for (const path of isPath ? [nameOrPath] : PROGRAM_FOLDERS.map((folder) => `${folder}/${nameOrPath}`)) {
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return null;
}

/** Where `prlimit` is on this machine, or null. */
export const findPrlimit = (): Promise<string | null> => findProgram('prlimit');

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
function collect(stream: Readable, limit: number, onOverflow: () => void): () => Buffer {
  const chunks: Buffer[] = [];
  let byteSize = 0;
  stream.on('data', (chunk: Buffer) => {
    if (byteSize > limit) return;
    byteSize += chunk.byteLength;
    if (byteSize > limit) onOverflow();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks);
}
