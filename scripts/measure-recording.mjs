// `npm run measure:recording`: kills servers, recording processes and media workers 200 times while calls are recorded, and
// writes into docs/RECORDING.md what was lost.

import { spawnSync } from 'node:child_process';
import { runMain } from './setup/failure.mjs';
import { ROOT } from './setup/paths.mjs';
import { prepare } from './setup/prepare.mjs';

await runMain(async () => {
  const { nodeBin, env } = await prepare();
  const program = ['test/chaos/measure-recording.ts', ...process.argv.slice(2)];
  const { status } = spawnSync(nodeBin, program, { cwd: ROOT, env, stdio: 'inherit' });
  return status ?? 1;
});
