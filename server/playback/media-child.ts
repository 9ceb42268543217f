import { type ChildProcess, spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { findProgram } from '../attachments/limited-child.ts';

/** Which programs work on media; null where there is none. */
export interface MediaTools {
  readonly ffmpegPath: string | null;
  readonly prlimitPath: string | null;
}

export interface MediaChildLimits {
  readonly wallClockMs: number;
  readonly cpuSeconds: number;
  /** Memory that is the process's own and writable, in bytes. */
  readonly memoryBytes: number;
  readonly outputBytes: number;
}

export interface MediaChildWork {
  readonly tools: MediaTools;
  /** The n-th input is `pipe:` of `inputPipe(n)`, what it makes goes to `pipe:1`, how far it is to `pipe:3`. */
  readonly args: readonly string[];
  /** Opened when the child runs; each is read as fast as the child takes it. */
  readonly inputs: readonly (() => AsyncIterable<Uint8Array>)[];
  readonly limits: MediaChildLimits;
  readonly signal: AbortSignal;
  /** The next piece is read when this has returned. */
  readonly onOutput: (bytes: Buffer) => void | Promise<void>;
  /** Lines of `-progress`. */
  readonly onProgress?: (line: string) => void;
}

/** How it ended. Nothing that the child says of the media is kept: it may quote them. */
export type MediaChildOutcome =
  | { readonly ended: 'done' }
  /** It could not make sense of what it was given. */
  | { readonly ended: 'failed' }
  | { readonly ended: 'out of bounds' }
  | { readonly ended: 'given up' }
  /** An input could not be read, or the output not be written. */
  | { readonly ended: 'broken'; readonly cause: unknown }
  | { readonly ended: 'not started' };

const PROGRESS_PIPE = 3;
const FIRST_INPUT = 4;

/** The number of the pipe that carries an input. */
export const inputPipe = (index: number): number => FIRST_INPUT + index;

/** The server's own work goes first. */
const NICENESS = 10;
/** What a program has open beside its pipes: libraries, devices of the system. */
const OTHER_FILES = 48;
const MAX_LINE = 4_096;

/** The child has no secrets to leak and no configuration to be led by; one heap arena keeps its memory small. */
const ENVIRONMENT = { MALLOC_ARENA_MAX: '1', LC_ALL: 'C' };

/**
 * Runs ffmpeg on media that stream through it: with pipes only, an empty environment, nothing written to any disk, no core
 * file, behind the server's own work, and killed when its time is over. It ends by itself when the server is gone, as its
 * pipes close. Never throws.
 */
export async function runMediaChild(work: MediaChildWork): Promise<MediaChildOutcome> {
  const { tools, signal } = work;
  const program = tools.ffmpegPath === null ? null : await findProgram(tools.ffmpegPath);
  if (program === null) return { ended: 'not started' };
  if (signal.aborted) return { ended: 'given up' };
  const [command, args] = limitedCommand(program, work);
  const child = spawn(command, args, {
    env: ENVIRONMENT,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'ignore', 'pipe', ...work.inputs.map(() => 'pipe' as const)],
  });
  const outcome = await follow(child, work);
  // Pipes that are open hold what was being read of sealed files.
  for (const stream of child.stdio) stream?.destroy();
  return outcome;
}

async function follow(child: ChildProcess, work: MediaChildWork): Promise<MediaChildOutcome> {
  const { limits, signal } = work;
  let stopped: MediaChildOutcome | null = null;
  const stop = (outcome: MediaChildOutcome): void => {
    stopped ??= outcome;
    child.kill('SIGKILL');
  };
  const giveUp = (): void => stop({ ended: 'given up' });
  const timer = setTimeout(() => stop({ ended: 'out of bounds' }), limits.wallClockMs);
  signal.addEventListener('abort', giveUp);
  try {
    const ended = new Promise<number | null>((resolve) => {
      child.once('error', () => {
        stopped ??= { ended: 'not started' };
        resolve(null);
      });
      child.once('exit', (code) => resolve(code));
    });
    if (child.pid !== undefined) lower(child.pid);
    const { stdout } = child;
    // Where the system is out of file descriptors or processes there are no pipes, and `error` follows.
    if (!stdout) {
      await ended;
      return stopped ?? { ended: 'not started' };
    }
    const broken = (cause: unknown): void => stop({ ended: 'broken', cause });
    const feeding = work.inputs.map((open, index) => feed(child, { index, open, broken }));
    readLines(child.stdio[PROGRESS_PIPE], work.onProgress ?? (() => undefined));
    await take(stdout, { ...work, stop });
    const code = await ended;
    // A child that has seen enough leaves the rest of its input: those who still write are let go.
    for (const stream of child.stdio.slice(FIRST_INPUT)) stream?.destroy();
    await Promise.all(feeding);
    return stopped ?? (code === 0 ? { ended: 'done' } : { ended: 'failed' });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}

/** Resolves when the child has closed its output; what it makes is handed on piece by piece. */
async function take(
  output: Readable,
  {
    limits,
    onOutput,
    stop,
  }: Pick<MediaChildWork, 'limits' | 'onOutput'> & { stop: (outcome: MediaChildOutcome) => void },
): Promise<void> {
  let byteSize = 0;
  try {
    for await (const bytes of output) {
      byteSize += (bytes as Buffer).byteLength;
      if (byteSize > limits.outputBytes) {
        stop({ ended: 'out of bounds' });
        return;
      }
      await onOutput(bytes as Buffer);
    }
  } catch (cause) {
    stop({ ended: 'broken', cause });
  }
}

interface Feed {
  readonly index: number;
  readonly open: () => AsyncIterable<Uint8Array>;
  readonly broken: (cause: unknown) => void;
}

async function feed(child: ChildProcess, { index, open, broken }: Feed): Promise<void> {
  const pipe = child.stdio[inputPipe(index)];
  if (!(pipe instanceof Writable)) return;
  // These pipes go both ways: a child that dies with input unread resets the other way too, after the pipeline has let go.
  pipe.on('error', () => undefined);
  let failure: unknown = null;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* open();
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  try {
    await pipeline(watched(), pipe);
  } catch {
    // A child that has seen enough closes its input, or has died: what it exits with says which.
    if (failure !== null) broken(failure);
  }
}

function readLines(stream: unknown, onLine: (line: string) => void): void {
  if (!(stream instanceof Readable)) return;
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('error', () => undefined);
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(-MAX_LINE);
    for (const line of lines) onLine(line);
  });
}

function lower(pid: number): void {
  try {
    setPriority(pid, NICENESS);
  } catch {
    // It has ended already.
  }
}

function limitedCommand(
  program: string,
  { tools, args, limits, inputs }: MediaChildWork,
): [string, string[]] {
  if (tools.prlimitPath === null) return [program, [...args]];
  return [
    tools.prlimitPath,
    [
      // A file of size 0 is all it can write, and no core: no content reaches a disk even by mistake.
      '--fsize=0',
      '--core=0',
      `--nofile=${inputs.length + OTHER_FILES}`,
      `--cpu=${limits.cpuSeconds}`,
      `--data=${limits.memoryBytes}`,
      '--',
      program,
      ...args,
    ],
  ];
}
