// The project's checks, as `npm test`, `npm run check` and the build server run them: format, lint, types, the
// build of the web pages, and tests.
// All run even when one fails, so that one look shows everything there is to correct.

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { NODE_MODULES, ROOT, SCRATCH_DIR } from './paths.mjs';
import { createProgress, elapsed } from './progress.mjs';
import { runVisibly } from './run.mjs';
import { ensureWebPages } from './web.mjs';

const TEST_REPORT = join(SCRATCH_DIR, 'test-report.json');

/**
 * Runs all checks and returns the exit code. The last line printed is the count of tests, alone.
 *
 * @param {import('./prepare.mjs').Prepared} prepared
 * @param {string[]} testArgs passed on to Vitest: files, or its options
 */
export async function runChecks({ nodeBin, env }, testArgs) {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const colours = process.stdout.isTTY === true;
  const options = { cwd: ROOT, env: colours ? env : { ...env, NO_COLOR: '1' } };
  const failed = [];
  const stage = async (name, run) => {
    process.stdout.write(`\n== ${name}\n`);
    const startedAt = Date.now();
    const code = await run();
    process.stdout.write(
      `== ${name}: ${code === 0 ? 'ok' : 'FAILED'} (${elapsed(Date.now() - startedAt)})\n`,
    );
    if (code !== 0) failed.push(name);
  };

  await stage('format', () => runVisibly(nodeBin, biomeArgs(colours), options));
  await stage('lint', () => runVisibly(scripts.lint, [], { ...options, shell: true }));
  await stage('types', () => runVisibly(scripts.types, [], { ...options, shell: true }));
  await stage('web pages', () => buildPages(nodeBin));
  mkdirSync(SCRATCH_DIR, { recursive: true });
  rmSync(TEST_REPORT, { force: true });
  await stage('tests', () => runVisibly(nodeBin, vitestArgs(testArgs), options));

  if (failed.length > 0) process.stdout.write(`\nFailed: ${failed.join(', ')}\n`);
  process.stdout.write(`\n${countLine(readReport(), failed.includes('tests'))}\n`);
  return failed.length === 0 ? 0 : 1;
}

/** Biome colours its output whatever NO_COLOR says. */
function biomeArgs(colours) {
  return [join(NODE_MODULES, '@biomejs/biome/bin/biome'), 'ci', ...(colours ? [] : ['--colors=off']), '.'];
}

async function buildPages(nodeBin) {
  try {
    await ensureWebPages({ nodeBin, progress: createProgress() });
    return 0;
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

function vitestArgs(testArgs) {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${TEST_REPORT}`];
  return [join(NODE_MODULES, 'vitest/vitest.mjs'), 'run', ...reporters, ...testArgs];
}

function readReport() {
  try {
    return JSON.parse(readFileSync(TEST_REPORT, 'utf8'));
  } catch {
    // Vitest ended before it could write one.
    return { testResults: [] };
  }
}

/**
 * "N passed, N failed", and ", N skipped" if any were. A file that fails outside of its tests, and a run that
 * fails without naming a test, count as one failure each: a count without failures must mean that all is well.
 *
 * @param {{ testResults: { status: string, assertionResults: { status: string }[] }[] }} report Vitest's JSON
 * @param {boolean} runFailed whether Vitest ended with an error
 */
export function countLine({ testResults }, runFailed) {
  const count = (statuses) =>
    testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => statuses.includes(status)).length;
  const brokenFiles = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((result) => result.status === 'failed'),
  ).length;
  const failures = count(['failed']) + brokenFiles;
  const failed = failures === 0 && runFailed ? 1 : failures;
  const skipped = count(['skipped', 'pending', 'todo', 'disabled']);
  return `${count(['passed'])} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
