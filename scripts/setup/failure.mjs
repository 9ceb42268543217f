// The one way set-up says that it cannot go on: what was wanted, what was tried and why it failed, and what
// the reader can do about it. Anything else that is thrown is a defect of the scripts.

export class SetupFailure extends Error {
  /**
   * @param {object} failure
   * @param {string} failure.wanted what is missing, as the end of "Set-up could not ..."
   * @param {string[]} [failure.tried] each attempt with its outcome
   * @param {string} [failure.output] the end of a failed program's output
   * @param {string[]} failure.fix commands or instructions, the best first
   */
  constructor({ wanted, tried = [], output = '', fix }) {
    const lines = [`Set-up could not ${wanted}.`];
    if (tried.length > 0) lines.push('', 'Tried:', ...tried.map((attempt) => `  - ${attempt}`));
    if (output.trim() !== '')
      lines.push(
        '',
        ...output
          .trimEnd()
          .split('\n')
          .map((line) => `  | ${line}`),
      );
    lines.push('', 'To go on:', ...fix.map((instruction) => `  ${instruction}`), '', 'More: docs/SETUP.md');
    super(lines.join('\n'));
    this.name = 'SetupFailure';
  }
}

/** Runs a script's `main`; a SetupFailure is printed as text for people, without a stack trace. */
export async function runMain(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    process.exitCode = 1;
  }
}
