// `npm run measure:resume`: breaks a video call in every way there is, fifty times, and writes docs/RESUME-MEASURED.md
// with how long it took to be back. Cutting networks needs Linux and root; without them the other causes are measured.

import { spawnSync } from 'node:child_process';
import { runMain } from './setup/failure.mjs';
import { ROOT } from './setup/paths.mjs';
import { prepare } from './setup/prepare.mjs';

await runMain(async () => {
  const { nodeBin, env } = await prepare({ browser: true, web: true });
  const { status } = spawnSync(nodeBin, ['test/e2e/resume/measure.ts'], { cwd: ROOT, env, stdio: 'inherit' });
  return status ?? 1;
});
