// Programs of others that the tests run against, so that not only our own ends agree with each other. They are installed
// on build servers alone: on a person's machine they would be a cluster's worth of packages, and a relay that listens to
// the network, for a few tests. Without one of them its tests are skipped, and say so.

import { onPath } from './run.mjs';
import { isDebianFamily } from './system.mjs';

/** Programs, and the packages of the distribution they are in. */
const PEERS = {
  // The relay of media: coturn.
  turnserver: 'coturn',
  // The S3 object store: Ceph.
  radosgw: 'radosgw',
  'ceph-mon': 'ceph-mon',
  'ceph-osd': 'ceph-osd',
  // Telephones behind a SIP trunk.
  sipp: 'sip-tester',
  // Carries the sound of their calls.
  rtpengine: 'rtpengine-daemon',
};

/** The distribution's packages that are missing for the tests against such programs here. */
export function missingPeerPackages(distribution, env = process.env) {
  const isBuildServer = env.CI !== undefined && env.CI !== '' && env.CI !== 'false';
  if (!isBuildServer || !isDebianFamily(distribution)) return [];
  return Object.entries(PEERS)
    .filter(([program]) => onPath(program, env) === undefined)
    .map(([, name]) => name);
}
