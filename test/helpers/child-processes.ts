import { readdirSync, readFileSync } from 'node:fs';

/** Processes whose parent is `pid` and whose program's name holds `name`, from /proc. */
export function childrenOf(pid: number, name = ''): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
        const program = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        return parent === pid && program.includes(name) ? [Number(entry)] : [];
      } catch {
        // It ended while it was looked at.
        return [];
      }
    });
}
