import { auditVerify } from './audit-verify.ts';
import { backupCommand } from './backup.ts';
import { type Command, type CommandContext, UsageError } from './command.ts';
import { restoreCommand } from './restore.ts';
import { vaultRetire } from './vault-retire.ts';
import { vaultRotate } from './vault-rotate.ts';
import { vaultShred } from './vault-shred.ts';
import { vaultStatus } from './vault-status.ts';
import { vaultVerify } from './vault-verify.ts';

export const COMMANDS: readonly Command[] = [
  vaultStatus,
  vaultVerify,
  vaultRotate,
  vaultRetire,
  vaultShred,
  backupCommand,
  restoreCommand,
  auditVerify,
];

/** The command was called wrongly; as `sysexits.h` has it. */
const USAGE = 64;

export type Surroundings = Pick<CommandContext, 'dataFolder' | 'kms' | 'objectPlaces' | 'say' | 'now'>;

/** Finds the command that the arguments name, runs it, and answers the exit code. Says what went wrong. */
export async function runCommand(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { say } = surroundings;
  const command = COMMANDS.find(({ name }) => name.split(' ').every((word, index) => args[index] === word));
  try {
    if (command === undefined) throw new UsageError('Name one of these commands:');
    const rest = args.slice(command.name.split(' ').length);
    const { operands, options } = parse(rest, ['data', ...command.takes]);
    const dataFolder = options.get('data')?.at(-1) ?? surroundings.dataFolder;
    return await command.run({ ...surroundings, dataFolder, operands, options });
  } catch (error) {
    if (error instanceof UsageError) {
      say(error.message);
      for (const { name, usage, purpose } of command === undefined ? COMMANDS : [command])
        say(`  ${[name, usage].filter(Boolean).join(' ')} [--data <data folder>]\n      ${purpose}`);
      return USAGE;
    }
    say(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

function parse(args: readonly string[], takes: readonly string[]) {
  const operands: string[] = [];
  const options = new Map<string, readonly string[]>();
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? '';
    if (!word.startsWith('--')) {
      operands.push(word);
      continue;
    }
    const name = word.slice(2);
    const value = args[++at];
    if (!takes.includes(name)) throw new UsageError(`There is no option ${word} here.`);
    if (value === undefined || value.startsWith('--')) throw new UsageError(`${word} takes a value.`);
    options.set(name, [...(options.get(name) ?? []), value]);
  }
  return { operands, options };
}
