// Builds the web pages when anything they are made of has changed since the last build.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { withLock } from './lock.mjs';
import { NODE_MODULES, ROOT, SCRATCH_DIR } from './paths.mjs';
import { capture, lastLines } from './run.mjs';

/** The pages bundle the SDK, and the SDK the protocol. */
const SOURCES = ['web', 'client-sdk', 'protocol', 'package-lock.json'];
const NOT_SOURCES = new Set(['node_modules', 'dist']);
const STAMP_FILE = join(ROOT, 'web/dist/.built-from');

export async function ensureWebPages({ nodeBin, progress }) {
  await progress.step('web pages', async (step) => {
    if (isCurrent()) return;
    await withLock(
      join(SCRATCH_DIR, 'web.lock'),
      async () => {
        if (!isCurrent()) await build(nodeBin, step);
      },
      (holder) => step.doing(`waiting for the build of process ${holder}`),
    );
  });
}

function isCurrent() {
  return existsSync(STAMP_FILE) && readFileSync(STAMP_FILE, 'utf8') === hashOfSources();
}

async function build(nodeBin, step) {
  step.doing('building the pages with Vite');
  // Taken before the build, so that a source edited meanwhile leads to another build.
  const builtFrom = hashOfSources();
  const vite = join(NODE_MODULES, 'vite/bin/vite.js');
  const { code, output } = await capture(nodeBin, [vite, 'build', 'web'], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: '1' },
  });
  if (code !== 0) {
    throw new SetupFailure({
      wanted: 'build the web pages',
      tried: [`vite build web, which ended with code ${code}`],
      output: lastLines(output),
      fix: ['Correct what Vite names above.'],
    });
  }
  writeFileSync(STAMP_FILE, builtFrom);
}

function hashOfSources() {
  return hashOfFiles(ROOT, SOURCES);
}

/**
 * A hash over the names and contents of files, the same on every machine.
 * @param {string[]} paths files and folders below `root`
 */
export function hashOfFiles(root, paths) {
  const hash = createHash('sha256');
  for (const file of paths.flatMap((path) => filesBelow(join(root, path)))) {
    hash
      .update(relative(root, file).replaceAll('\\', '/'))
      .update('\0')
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}

function filesBelow(path) {
  let entries;
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOTDIR') return [path];
    throw error;
  }
  return entries
    .filter(({ name }) => !NOT_SOURCES.has(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) =>
      entry.isDirectory() ? filesBelow(join(path, entry.name)) : [join(path, entry.name)],
    );
}
