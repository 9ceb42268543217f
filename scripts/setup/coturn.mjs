// The tests of the relay run against a real coturn. It is installed on build servers alone: on a person's machine the
// distribution's package would start a relay that listens to the network. Without it those tests are skipped, and say so.

import { onPath } from './run.mjs';
import { isDebianFamily } from './system.mjs';

const COTURN_PACKAGE = 'coturn';

/** The distribution's packages that are missing for the tests of the relay here. */
export function missingCoturnPackages(distribution, env = process.env) {
  const isBuildServer = env.CI !== undefined && env.CI !== '' && env.CI !== 'false';
  if (!isBuildServer || !isDebianFamily(distribution)) return [];
  return onPath('turnserver', env) === undefined ? [COTURN_PACKAGE] : [];
}
