import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { holdsPorts } from './held-ports.ts';
import { JAIL_ENVIRONMENT, type Jail, jailedCommand } from './jail.ts';
import { processorTimeMs } from './processor-time.ts';

/** What ffmpeg says of a port that somebody else has; it says it in the words of the system, in no language (LC_ALL=C). */
const PORT_TAKEN = /address already in use/i;

/** Enough of its complaints to find that in. They may quote what was received: nobody else gets to see them. */
const MAX_ERROR_CHARACTERS = 4_096;

const LOOK_AGAIN_MS = 5;

/** What the worker and the kernel still hold when the tap is closed reaches ffmpeg within this. */
const DRAIN_MS = 30;

/**
 * A signal wakes an ffmpeg that waits for a packet only the second time, and then it throws away what it has not written.
 * So it is told by a goodbye (RTCP BYE), which ends its file within 10–30 ms, and by signals where it does not listen.
 */
const FIRST_SIGNAL_MS = 300;
const SECOND_SIGNAL_MS = 350;

/** A file that is not ended properly by then is cut: at most one cluster of it is lost. */
const END_PATIENCE_MS = 800;

export interface RecordingProcessOptions {
  readonly jail: Jail;
  readonly args: readonly string[];
  /** Written to its standard input, which is then closed. */
  readonly input: string;
  readonly onOutput: (bytes: Buffer) => void;
}

export type ListenOutcome = 'listening' | 'port_taken' | 'exited' | 'too_slow';

/** One ffmpeg in its jail. */
export class RecordingProcess {
  /** Resolves when it is gone and its last output was read. Never rejects. */
  readonly gone: Promise<void>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable> | null;
  #errors = '';
  #isGone = false;

  constructor({ jail, args, input, onOutput }: RecordingProcessOptions) {
    const [command, all] = jailedCommand(jail, args);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    const end = (): void => {
      this.#isGone = true;
      resolve();
    };
    const child = spawn(command, all, {
      env: JAIL_ENVIRONMENT,
      cwd: '/',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.once('error', end);
    // `close` comes after the exit and after the last output was read.
    child.once('close', end);
    const { stdin, stdout, stderr } = child;
    // Where the system is out of file descriptors or processes there are no pipes, and `error` follows.
    if (!stdin || !stdout || !stderr) {
      this.#child = null;
      return;
    }
    this.#child = child;
    stdout.on('data', onOutput);
    stderr.setEncoding('latin1').on('data', (text: string) => {
      if (this.#errors.length < MAX_ERROR_CHARACTERS) this.#errors += text.slice(0, MAX_ERROR_CHARACTERS);
    });
    // One that ends before it has read its input is no error of ours.
    stdin.on('error', () => undefined);
    stdin.end(input);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Waits until it, and nobody else, listens on these ports. */
  async listens(ports: readonly number[], patienceMs: number): Promise<ListenOutcome> {
    const giveUpAt = performance.now() + patienceMs;
    while (!this.#isGone) {
      const { pid } = this;
      if (pid !== undefined && (await holdsPorts(pid, ports))) return 'listening';
      if (performance.now() > giveUpAt) return 'too_slow';
      await delay(LOOK_AGAIN_MS);
    }
    return PORT_TAKEN.test(this.#errors) ? 'port_taken' : 'exited';
  }

  /** Lets it end its file, once nothing more is sent to it; kills it where that takes too long. */
  async finish(rtcpPort: number): Promise<void> {
    const timers = [
      setTimeout(() => sayGoodbye(rtcpPort), DRAIN_MS),
      setTimeout(() => this.#child?.kill('SIGINT'), FIRST_SIGNAL_MS),
      setTimeout(() => this.#child?.kill('SIGINT'), SECOND_SIGNAL_MS),
      setTimeout(() => this.kill(), END_PATIENCE_MS),
    ];
    await this.gone;
    for (const timer of timers) clearTimeout(timer);
  }

  /** At once. What it held is lost. */
  kill(): void {
    if (!this.#isGone) this.#child?.kill('SIGKILL');
  }

  /** Milliseconds of processor used so far, or null when that cannot be told. */
  async processorMs(): Promise<number | null> {
    return this.pid === undefined || this.#isGone ? null : processorTimeMs(this.pid);
  }
}

/**
 * Of nobody in particular: whoever records one track needs not be told which one ends. With a reason (RFC 3550 §6.6), since
 * ffmpeg takes nothing below 12 bytes for a packet.
 */
const GOODBYE = Buffer.from([0x81, 203, 0, 2, 0, 0, 0, 0, 3, ...Buffer.from('end')]);

function sayGoodbye(rtcpPort: number): void {
  const socket = createSocket('udp4');
  // Where nobody listens any more it has gone by itself.
  socket.on('error', () => undefined);
  socket.send(GOODBYE, rtcpPort, '127.0.0.1', () => socket.close());
}
