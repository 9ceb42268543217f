import { readFile } from 'node:fs/promises';

/** What the kernel counts processor time in, on every Linux: see `sysconf(_SC_CLK_TCK)` and proc_pid_stat(5). */
const TICK_MS = 10;

/** Milliseconds of processor that a process has used, or null when it is gone. */
export async function processorTimeMs(pid: number): Promise<number | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The name in brackets may hold anything; what follows it begins with field 3. User and system time are 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return null;
  }
}
