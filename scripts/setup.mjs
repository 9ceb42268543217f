// `npm run setup`: prepares a fresh clone, and does nothing but that. See docs/SETUP.md.

import { runMain } from './setup/failure.mjs';
import { prepare } from './setup/prepare.mjs';

await runMain(async () => {
  const { workerBin, ffmpegPath } = await prepare({ web: true });
  process.stdout.write(`  worker  ${workerBin}\n  ffmpeg  ${ffmpegPath ?? 'none'}\n`);
  return 0;
});
