// Stands for scripts/start.mjs in server-process.test.ts: with `run` it starts itself as the server would be
// started, and without it plays a server that says what happens to it.

import { fileURLToPath } from 'node:url';
import { runServer } from '../../scripts/setup/server-process.mjs';

if (process.argv[2] === 'run') {
  const entry = fileURLToPath(import.meta.url);
  process.exitCode = await runServer({ nodeBin: process.execPath, env: process.env, entry });
} else {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      console.log(`server got ${signal}`);
      // Late enough to see whether the signal comes twice.
      setTimeout(() => process.exit(7), 100);
    });
  }
  setInterval(() => {}, 60_000);
  console.log('server is ready');
}
