/** A real S3 server, Ceph's, for the tests of a run: started by the first that asks, ended when the run ends. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { openS3Client, S3_PATIENCE, type S3Place } from '@teleconsult/server/storage/objects/s3-client';
import { eventually } from './eventually.ts';

const PROGRAMS = ['ceph-mon', 'ceph-osd', 'radosgw', 'radosgw-admin', 'ceph', 'monmaptool', 'ceph-authtool'];

const isOnPath = (program: string) =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));

/** Why the tests with a real S3 server do not run; null when they do. */
export const cephMissing = PROGRAMS.every(isOnPath)
  ? null
  : 'Ceph is not installed (Debian: apt-get install --no-install-recommends radosgw ceph-mon ceph-osd)';

/** `small` has room for 1 MiB. */
export type CephUser = 'tele' | 'small';

/** The run's own process: workers are its children or its threads. */
const run = isMainThread ? process.ppid : process.pid;
const folder = join(tmpdir(), `teleconsult-ceph-${run}`);
let endpoint: Promise<string> | null = null;

/** An S3 store that is nobody else's, in the server of this run. */
export async function cephPlace({ user = 'tele' }: { user?: CephUser } = {}): Promise<S3Place> {
  endpoint ??= startOrJoin();
  const place: S3Place = {
    bucket: user,
    endpoint: await endpoint,
    region: 'us-east-1',
    pathStyle: true,
    checksums: 'crc32',
    prefix: `${randomBytes(6).toString('hex')}/`,
    credentials: { accessKeyId: user, secretAccessKey: user },
  };
  const client = openS3Client(place, S3_PATIENCE);
  // Making one's own bucket again succeeds.
  await client.send(new CreateBucketCommand({ Bucket: user }));
  client.destroy();
  return place;
}

async function startOrJoin(): Promise<string> {
  const isFirst = await mkdir(folder).then(
    () => true,
    () => false,
  );
  if (isFirst) {
    const program = fileURLToPath(new URL('ceph-server.ts', import.meta.url));
    spawn(process.execPath, [program, folder, String(run)], { detached: true, stdio: 'ignore' }).unref();
  }
  const read = (file: string) => readFile(join(folder, file), 'utf8').catch(() => null);
  return await eventually(
    'Ceph answers',
    async () => {
      const failed = await read('failed.txt');
      if (failed !== null) throw new Error(`Ceph does not start: ${failed}`);
      const ready = await read('ready.json');
      return ready === null ? null : (JSON.parse(ready) as { endpoint: string }).endpoint;
    },
    { withinMs: 50_000 },
  );
}
