/** Where the tests find the worker's program: from the environment, else where set-up has put it. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export function workerBin(): string {
  const { MEDIASOUP_WORKER_BIN, XDG_CACHE_HOME } = process.env;
  if (MEDIASOUP_WORKER_BIN) return MEDIASOUP_WORKER_BIN;
  const cache = XDG_CACHE_HOME || join(homedir(), '.cache');
  const built = join(cache, 'teleconsult', 'mediasoup-worker', 'current', 'mediasoup-worker');
  if (existsSync(built)) return built;
  throw new Error(`no mediasoup worker at ${built}: run "npm run setup", or set MEDIASOUP_WORKER_BIN`);
}
