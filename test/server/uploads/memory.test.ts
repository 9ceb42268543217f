import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MAX_UPLOAD_BYTES } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { peopleOf } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { pdf } from './samples.ts';
import { idOf } from './tus-client.ts';
import { startUploading } from './uploading.ts';

const MEGABYTE = 1024 * 1024;
const BYTE_SIZE = MAX_UPLOAD_BYTES.file;
const UPLOADS = 3;

/** The bytes of a PDF of the largest size, a piece at a time, without the last `missing` of them. */
function* pieces(missing: number): Generator<Buffer> {
  const small = pdf(64 * 1024);
  const head = small.subarray(0, 1024);
  const filler = Buffer.alloc(64 * 1024, '% nothing to see\n');
  yield head;
  for (let sent = head.byteLength; sent < BYTE_SIZE - missing; ) {
    const piece = filler.subarray(0, BYTE_SIZE - missing - sent);
    sent += piece.byteLength;
    yield piece;
  }
}

async function stream(origin: string, token: string, location: string, missing: number): Promise<number> {
  const sending = request(origin + location, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${token}`,
      'tus-resumable': '1.0.0',
      'upload-offset': '0',
      'content-type': 'application/offset+octet-stream',
      'content-length': String(BYTE_SIZE - missing),
    },
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  sending.once('response', (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  });
  await pipeline(Readable.from(pieces(missing)), sending);
  return promise;
}

/** By how many bytes the buffers of this process grew at most while something ran. */
async function growth(work: () => Promise<unknown>): Promise<number> {
  const used = () => process.memoryUsage().arrayBuffers;
  const before = used();
  let peak = before;
  const sampler = setInterval(() => {
    peak = Math.max(peak, used());
  }, 5);
  try {
    await work();
  } finally {
    clearInterval(sampler);
  }
  return peak - before;
}

test('[UPL15] receiving takes a few megabytes an upload however large it is, and checking no more than five times its size', async () => {
  await using uploading = await startUploading();
  const { app, visit, id, patient } = uploading;
  const token = personToken(peopleOf(visit.view).patient);
  const tail = pdf(1024).subarray(-1024);
  const locations: string[] = [];
  for (let count = 0; count < UPLOADS; count += 1)
    locations.push(
      (await patient.create({ consultationId: id, kind: 'file', fileName: 'a.pdf', byteSize: BYTE_SIZE }))
        .location,
    );
  // 150 MB together; what the collector has not got to yet counts too.
  const receiving = await growth(async () => {
    const statuses = await Promise.all(
      locations.map((location) => stream(app.origin, token, location, tail.byteLength)),
    );
    expect(new Set(statuses)).toEqual(new Set([204]));
  });
  expect(receiving / MEGABYTE).toBeLessThan(100);

  const [location = ''] = locations;
  const checking = await growth(async () => {
    await patient.patch(location, BYTE_SIZE - tail.byteLength, tail);
    expect(await patient.ended(id, idOf(location))).toMatchObject({ status: 'ready' });
  });
  expect(checking / MEGABYTE).toBeLessThan(250);
}, 60_000);
