// `npm start`: prepares the checkout as far as it is not, and runs the server until it ends or is asked to.

import { runMain } from './setup/failure.mjs';
import { prepare } from './setup/prepare.mjs';
import { runServer } from './setup/server-process.mjs';

await runMain(async () => {
  const { nodeBin, env } = await prepare({ web: true });
  return await runServer({ nodeBin, env, entry: 'server/main.ts', args: process.argv.slice(2) });
});
