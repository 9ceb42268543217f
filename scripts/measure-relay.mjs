// `npm run measure:relay -- [calls] [seconds] [plain]`: what calls through the embedded relay cost: packets lost, added
// delay and work of the processors.

import { spawnSync } from 'node:child_process';
import { runMain } from './setup/failure.mjs';
import { ROOT } from './setup/paths.mjs';
import { prepare } from './setup/prepare.mjs';

await runMain(async () => {
  const { nodeBin, env } = await prepare();
  const program = ['test/server/telephony/embedded/measure-relay.ts', ...process.argv.slice(2)];
  const { status } = spawnSync(nodeBin, program, { cwd: ROOT, env, stdio: 'inherit' });
  return status ?? 1;
});
