/** The server itself, with its objects in a real S3, that goes away under it. */
import { join } from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { S3ObjectStore } from '@teleconsult/server/storage/objects/s3';
import { openS3Client, S3_PATIENCE } from '@teleconsult/server/storage/objects/s3-client';
import { expect, test } from 'vitest';
import { keysOf } from '../../../contract/object-store.suite.ts';
import { cephMissing, cephPlace } from '../../../helpers/ceph.ts';
import { openFaultProxy } from '../../../helpers/ceph-faults.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { freePort, startServerProcess } from '../../../helpers/server-process.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../../../helpers/test-app.ts';
import { hostToken, personToken } from '../../../helpers/test-tokens.ts';
import { pdf } from '../../uploads/samples.ts';
import { bytesOf, TusClient } from '../../uploads/tus-client.ts';

test.skipIf(cephMissing !== null)(
  `[OBJ53] a server on S3 takes and gives files while its bucket is away, over a SIGKILL, and brings them home${cephMissing ? ` (${cephMissing})` : ''}`,
  async () => {
    await using folder = await tempDir();
    const place = await cephPlace();
    await using proxy = await openFaultProxy(place.endpoint ?? '');
    const { accessKeyId = '', secretAccessKey = '' } = place.credentials ?? {};
    const options = {
      dataDir: join(folder.path, 'data'),
      port: await freePort(),
      env: {
        TELECONSULT_OBJECT_STORE: 's3',
        TELECONSULT_S3_BUCKET: place.bucket,
        TELECONSULT_S3_ENDPOINT: proxy.endpoint,
        TELECONSULT_S3_PREFIX: place.prefix,
        TELECONSULT_OBJECT_STORE_SECOND: 'disk',
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
      },
    };
    await using first = await startServerProcess(options);
    const view = await createConsultation(first.origin, hostToken());
    const { consultationId: id } = view;
    const patient = new TusClient(first.origin, personToken(peopleOf(view).patient));
    const upload = async (fileName: string, bytes: Buffer) => {
      const attachment = await patient.upload({ consultationId: id, kind: 'file', fileName }, bytes);
      expect(await patient.ended(id, attachment)).toMatchObject({ status: 'ready' });
      return attachment;
    };
    const contentOf = async (attachment: Awaited<ReturnType<typeof upload>>) =>
      await bytesOf(await patient.content(id, attachment));

    const before = pdf(5_500_000);
    const inBucket = await upload('before.pdf', before);
    const bucket = new S3ObjectStore(place);
    expect(await keysOf(bucket, 'attachments/')).toEqual([`attachments/${inBucket}/original`]);
    await using parts = new AsyncDisposableStack();
    const raw = parts.adopt(openS3Client(place, S3_PATIENCE), (client) => client.destroy());
    const Key = `${place.prefix}attachments/${inBucket}/original`;
    const stored = await raw.send(new GetObjectCommand({ Bucket: place.bucket, Key }));
    const sealed = Buffer.from((await stored.Body?.transformToByteArray()) ?? []);
    expect(sealed.byteLength).toBeGreaterThan(before.byteLength);
    expect(sealed.includes(before.subarray(0, 100))).toBe(false);
    expect((await contentOf(inBucket)).equals(before)).toBe(true);

    proxy.choose = () => ({ kind: 'cut' });
    const meanwhile = pdf(1_500_000);
    const away = await upload('meanwhile.pdf', meanwhile);
    expect((await contentOf(away)).equals(meanwhile)).toBe(true);
    expect((await patient.content(id, inBucket)).status).toBe(503);
    expect((await fetch(`${first.origin}/readyz`)).status).toBe(200);
    await first.kill();

    await using _second = await startServerProcess(options);
    expect((await contentOf(away)).equals(meanwhile)).toBe(true);
    proxy.choose = () => null;
    const original = `attachments/${away}/original`;
    await eventually('it has come home', async () => (await bucket.head(original)) !== null, {
      withinMs: 60_000,
    });
    expect((await contentOf(away)).equals(meanwhile)).toBe(true);
    expect((await contentOf(inBucket)).equals(before)).toBe(true);
    await bucket.close();
  },
  180_000,
);
