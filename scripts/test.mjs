// `npm test`: prepares everything the tests need, a browser included, and runs all checks.
// Arguments go to Vitest: npm test -- test/setup

import { runChecks } from './setup/checks.mjs';
import { runMain } from './setup/failure.mjs';
import { prepare } from './setup/prepare.mjs';

await runMain(async () => await runChecks(await prepare({ browser: true }), process.argv.slice(2)));
