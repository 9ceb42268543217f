// `npm run demo`: plays a whole consultation in two headless browsers and says what happened, with timings.

import { spawnSync } from 'node:child_process';
import { runMain } from './setup/failure.mjs';
import { ROOT } from './setup/paths.mjs';
import { prepare } from './setup/prepare.mjs';

await runMain(async () => {
  const { nodeBin, env } = await prepare({ browser: true, web: true });
  const { status } = spawnSync(nodeBin, ['test/e2e/demo.ts'], { cwd: ROOT, env, stdio: 'inherit' });
  return status ?? 1;
});
