// Finds a Node that can run the server. The scripts themselves run on Node 18 and newer; the server needs the
// version package.json names, which on Linux comes as an npm package with the others.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { NODE_MODULES, ROOT } from './paths.mjs';
import { capture } from './run.mjs';

/** @returns {Promise<{ nodeBin: string, version: string }>} */
export async function findNode() {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const minimum = engines.node.replace(/^>=/, '');
  const ownVersion = process.versions.node;
  if (isAtLeast(ownVersion, minimum)) return { nodeBin: process.execPath, version: ownVersion };

  const tried = [`${process.execPath}: version ${ownVersion}`];
  const packaged = join(NODE_MODULES, '.bin/node');
  if (existsSync(packaged)) {
    const { code, output } = await capture(packaged, ['--version']);
    const version = output.trim().replace(/^v/, '');
    if (code === 0 && isAtLeast(version, minimum)) return { nodeBin: packaged, version };
    tried.push(`${packaged}: ${code === 0 ? `version ${version}` : `does not run here (${output.trim()})`}`);
  } else {
    tried.push(`the npm package node-${process.platform}-${process.arch}: not part of this project`);
  }
  throw new SetupFailure({
    wanted: `find Node ${minimum} or newer`,
    tried,
    fix: [`Install Node ${minimum} or newer from https://nodejs.org and run the command again.`],
  });
}

/** Compares dotted versions number by number; a missing part counts as 0. */
export function isAtLeast(version, minimum) {
  const have = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  const need = minimum.split('.').map((part) => Number.parseInt(part, 10) || 0);
  for (const [index, part] of need.entries()) {
    if ((have[index] ?? 0) !== part) return (have[index] ?? 0) > part;
  }
  return true;
}
