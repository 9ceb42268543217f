/**
 * What a recording process may do. It reads RTP that a device made up, so it is held like a program that was taken over.
 *
 * Enforced by the kernel: it writes no byte into any file (a file may have 0 bytes), leaves no core, opens few files, has
 * little memory, gains no rights, and dies with the server, even if that is killed. Enforced by ffmpeg alone, and so only
 * while it is not taken over: it opens no file and no address but the two ports of the loopback it was given. A namespace
 * without a network cannot hold it, since its sound comes over the loopback; a filter of system calls (seccomp) needs a
 * program that is not there on every system. Who wants more starts the server in a container with a read-only file system
 * and without a way out.
 */
import { findProgram } from './programs.ts';

export interface Jail {
  /** ffmpeg itself. */
  readonly program: string;
  /** `setpriv` and `prlimit` of util-linux, where they are. */
  readonly setpriv: string | null;
  readonly prlimit: string | null;
}

/** Copying a stream takes 12–13 MB; the buffers of a socket and of late packets come on top. */
const MEMORY_BYTES = 192 * 1024 * 1024;

/** Its three pipes, two sockets, and what the loader opens while it starts. */
const OPEN_FILES = 32;

/** No secrets to leak and no configuration to be led by. One heap arena keeps its memory small. */
export const JAIL_ENVIRONMENT = { LC_ALL: 'C', MALLOC_ARENA_MAX: '1' };

/** Null when there is no such program. */
export async function findJail(ffmpeg: string): Promise<Jail | null> {
  const [program, setpriv, prlimit] = await Promise.all([ffmpeg, 'setpriv', 'prlimit'].map(findProgram));
  return program ? { program, setpriv: setpriv ?? null, prlimit: prlimit ?? null } : null;
}

/** The program with its fetters: each of them becomes the next by `exec`, so all have one process id. */
export function jailedCommand(
  { program, setpriv, prlimit }: Jail,
  args: readonly string[],
): readonly [string, string[]] {
  const death = setpriv === null ? [] : [setpriv, '--pdeathsig', 'KILL', '--no-new-privs', '--'];
  const limits =
    prlimit === null
      ? []
      : [prlimit, '--fsize=0', '--core=0', `--nofile=${OPEN_FILES}`, `--data=${MEMORY_BYTES}`, '--'];
  const [command = program, ...rest] = [...death, ...limits, program, ...args];
  return [command, rest];
}
