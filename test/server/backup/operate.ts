import { runCommand } from '../../../server/commands/run.ts';

/** Runs a command as the operator does; answers its exit code and what it said. */
export async function operate(
  dataFolder: string,
  ...args: string[]
): Promise<{ readonly code: number; readonly said: string }> {
  const lines: string[] = [];
  const code = await runCommand(args, {
    dataFolder,
    kms: null,
    objectPlaces: { first: { kind: 'disk', dir: null }, second: null },
    say: (line) => void lines.push(line),
    now: Date.now,
  });
  return { code, said: lines.join('\n') };
}
