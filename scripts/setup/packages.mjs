// Installs the npm packages of the lock file, and nothing else: no package's install script runs (see .npmrc),
// because on a machine that cannot reach their download hosts one failed script fails the whole install.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { withLock } from './lock.mjs';
import { NODE_MODULES, ROOT, SCRATCH_DIR } from './paths.mjs';
import { capture, lastLines } from './run.mjs';

const LOCK_FILE = join(ROOT, 'package-lock.json');
const INSTALLED_LOCK_FILE = join(NODE_MODULES, '.package-lock.json');
const STAMP_FILE = join(NODE_MODULES, '.teleconsult-packages');

/** @param {import('./progress.mjs').Progress} progress */
export async function ensurePackages(progress) {
  await progress.step('packages', async (step) => {
    if (packagesAreCurrent()) return;
    await withLock(
      join(SCRATCH_DIR, 'packages.lock'),
      async () => {
        // The set-up that held the lock may have installed them meanwhile.
        if (!packagesAreCurrent()) await install(step);
      },
      (holder) => step.doing(`waiting for the set-up of process ${holder}`),
    );
  });
}

function packagesAreCurrent() {
  const lockText = readFileSync(LOCK_FILE, 'utf8');
  const stamp = stampOf(lockText);
  if (existsSync(STAMP_FILE) && readFileSync(STAMP_FILE, 'utf8') === stamp) return true;
  if (!existsSync(INSTALLED_LOCK_FILE)) return false;
  // Somebody ran `npm install` by hand; installing the same packages again would only take time.
  const installed = JSON.parse(readFileSync(INSTALLED_LOCK_FILE, 'utf8'));
  if (!isInstalled(JSON.parse(lockText), installed)) return false;
  writeFileSync(STAMP_FILE, stamp);
  return true;
}

async function install(step) {
  step.doing('installing what package-lock.json names (npm ci)');
  const [command, ...args] = npmCommand();
  // Warnings are left out: on an older Node, npm prints one for each package that wants a newer Node, and set-up
  // brings that newer Node itself.
  const { code, output } = await capture(command, [...args, 'ci', '--ignore-scripts', '--loglevel=error'], {
    cwd: ROOT,
    shell: process.platform === 'win32',
  });
  if (code !== 0) {
    throw new SetupFailure({
      wanted: 'install the npm packages',
      tried: [`npm ci --ignore-scripts, which ended with code ${code}`],
      output: lastLines(output),
      fix: [
        'npm ci --ignore-scripts   (shows the whole error)',
        'npm install               (only if npm says that package-lock.json and package.json disagree)',
      ],
    });
  }
  writeFileSync(STAMP_FILE, stampOf(readFileSync(LOCK_FILE, 'utf8')));
}

/** The npm that runs this script, so that a version manager's choice is kept; else the one on PATH. */
function npmCommand() {
  const running = process.env.npm_execpath;
  return running?.endsWith('npm-cli.js') ? [process.execPath, running] : ['npm'];
}

function stampOf(lockText) {
  return createHash('sha256').update(lockText).digest('hex');
}

/**
 * Whether npm's record of what it installed holds everything the lock file asks for on this machine, in the same
 * versions.
 *
 * @param {{ packages: Record<string, LockedPackage> }} lock
 * @param {{ packages: Record<string, LockedPackage> }} installed
 * @param {{ os: string, cpu: string, libc: string }} [machine]
 *
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, os?: string | string[],
 *   cpu?: string | string[], libc?: string | string[] }} LockedPackage
 */
export function isInstalled(lock, installed, machine = thisMachine()) {
  return Object.entries(lock.packages).every(([path, wanted]) => {
    // Entries outside node_modules are the workspaces themselves, which are part of the checkout.
    if (!path.startsWith('node_modules/')) return true;
    const found = installed.packages[path];
    if (found === undefined) return wanted.optional === true && !isMadeFor(wanted, machine);
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

function thisMachine() {
  const { glibcVersionRuntime } = process.report.getReport().header;
  return {
    os: process.platform,
    cpu: process.arch,
    libc: glibcVersionRuntime === undefined ? 'musl' : 'glibc',
  };
}

/**
 * Whether an optional package is the variant for this machine. One that names no machine is not: npm leaves out
 * the dependencies of the variants it leaves out, and those name none.
 */
function isMadeFor({ os, cpu, libc }, machine) {
  if (os === undefined && cpu === undefined) return false;
  return allows(os, machine.os) && allows(cpu, machine.cpu) && allows(libc, machine.libc);
}

/** npm's rule for `os` and `cpu`: names that are allowed, or with a leading "!" those that are not. */
function allows(rule, name) {
  const entries = rule === undefined ? [] : [rule].flat();
  if (entries.includes(`!${name}`)) return false;
  const allowed = entries.filter((entry) => !entry.startsWith('!'));
  return allowed.length === 0 || allowed.includes(name) || allowed.includes('any');
}
