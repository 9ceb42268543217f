// Where set-up reads and writes. Nothing outside the checkout, the user's cache folder and, with permission,
// the system's packages is ever touched.

import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout this file belongs to. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export const NODE_MODULES = join(ROOT, 'node_modules');

/** Ignored by git; holds locks and reports that may be deleted at any time. */
export const SCRATCH_DIR = join(ROOT, '.build');

/** Kept outside the checkout, so that a second clone does not compile the media worker again. */
export function cacheDir(env = process.env) {
  // A relative XDG_CACHE_HOME is to be ignored (XDG Base Directory Specification).
  const base = env.XDG_CACHE_HOME?.startsWith('/') ? env.XDG_CACHE_HOME : join(os.homedir(), '.cache');
  return join(base, 'teleconsult');
}
