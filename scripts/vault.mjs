// `npm run vault -- <command>`: keys, backups and restores of a data folder. Those that only read work beside a running
// server. `npm run vault -- status` says which keys there are; without a command all of them are listed.

import { spawnSync } from 'node:child_process';
import { runMain } from './setup/failure.mjs';
import { findNode } from './setup/node.mjs';
import { ensurePackages } from './setup/packages.mjs';
import { ROOT } from './setup/paths.mjs';
import { createProgress } from './setup/progress.mjs';

/** Commands that stand by themselves; all others are those of the vault. */
const OTHERS = new Set(['audit', 'backup', 'restore', 'vault']);

await runMain(async () => {
  await ensurePackages(createProgress());
  const { nodeBin } = await findNode();
  const words = process.argv.slice(2);
  const args = OTHERS.has(words[0] ?? '') ? words : ['vault', ...words];
  // Like `npm run` itself: relative folders are those of the checkout.
  const { status } = spawnSync(nodeBin, ['server/commands/main.ts', ...args], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  return status ?? 1;
});
