// The tests of the S3 object store run against a real S3 server, Ceph's. It is installed on build servers alone: on a
// person's machine it would be a cluster's worth of packages for a few tests. Without it they are skipped, and say so.

import { onPath } from './run.mjs';
import { isDebianFamily } from './system.mjs';

/** Programs of the tests, and the packages they are in. */
const CEPH = { radosgw: 'radosgw', 'ceph-mon': 'ceph-mon', 'ceph-osd': 'ceph-osd' };

/** The distribution's packages that are missing for the tests of the S3 object store here. */
export function missingCephPackages(distribution, env = process.env) {
  const isBuildServer = env.CI !== undefined && env.CI !== '' && env.CI !== 'false';
  if (!isBuildServer || !isDebianFamily(distribution)) return [];
  return Object.entries(CEPH)
    .filter(([program]) => onPath(program, env) === undefined)
    .map(([, name]) => name);
}
