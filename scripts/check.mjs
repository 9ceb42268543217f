// `npm run check`: all checks, without providing a browser; where there is none, tests that need one are skipped.
// Arguments go to Vitest: npm run check -- test/setup

import { runChecks } from './setup/checks.mjs';
import { runMain } from './setup/failure.mjs';
import { prepare } from './setup/prepare.mjs';

await runMain(async () => await runChecks(await prepare(), process.argv.slice(2)));
