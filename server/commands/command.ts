import type { ObjectPlaces } from '../storage/objects/object-store-settings.ts';
import type { KmsOptions } from '../vault/kms-key-provider.ts';

/** What a command is run with. */
export interface CommandContext {
  readonly dataFolder: string;
  /** The key service that wraps, or did before; null: none. */
  readonly kms: KmsOptions | null;
  /** Where sealed objects lie. */
  readonly objectPlaces: ObjectPlaces;
  /** What is behind the command's name, options (`--name value`) taken out. */
  readonly operands: readonly string[];
  readonly options: ReadonlyMap<string, readonly string[]>;
  /** A line for the operator. Ids are whole here: it is the operator's own screen, and no log. */
  readonly say: (line: string) => void;
  /** The present moment in milliseconds. */
  readonly now: () => number;
}

export interface Command {
  /** Such as `vault rotate`. */
  readonly name: string;
  /** What follows the name. */
  readonly usage: string;
  readonly purpose: string;
  /** Names of options that take a value. */
  readonly takes: readonly string[];
  /** Answers the exit code. */
  run(context: CommandContext): Promise<number>;
}

/** The command was called wrongly. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The one operand a command takes. */
export function onlyOperand({ operands }: CommandContext, what: string): string {
  const [operand, ...more] = operands;
  if (operand === undefined || more.length > 0) throw new UsageError(`Name one ${what}.`);
  return operand;
}

/** The value of an option that may be given once. */
export function optionOf({ options }: CommandContext, name: string): string | undefined {
  const values = options.get(name) ?? [];
  if (values.length > 1) throw new UsageError(`--${name} is given more than once.`);
  return values[0];
}
