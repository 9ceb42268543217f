import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { pdf } from './samples.ts';
import { attachmentPath, bytesOf } from './tus-client.ts';
import { startUploading } from './uploading.ts';

/** Several frames of the sealed object, and an odd end. */
const BYTE_SIZE = 300_017;
const RANGES = 200;

async function openFile() {
  await using stack = new AsyncDisposableStack();
  const uploading = stack.use(await startUploading());
  const { id, patient, doctor } = uploading;
  const bytes = pdf(BYTE_SIZE, randomBytes(BYTE_SIZE));
  const attachmentId = await patient.upload({ consultationId: id, kind: 'file', fileName: 'a.pdf' }, bytes);
  expect(await patient.ended(id, attachmentId)).toMatchObject({ status: 'ready' });
  const owned = stack.move();
  return {
    bytes,
    get: (range?: string) => doctor.content(id, attachmentId, range === undefined ? {} : { range }),
    ask: (method: string) => doctor.send(method, `${attachmentPath(id, attachmentId)}/content`, {}),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A number from 0 to below a limit, small and large ones alike. */
const someNumber = (limit: number): number =>
  Math.floor(Math.random() < 0.5 ? Math.random() * limit : limit ** Math.random() - 1);

test('[UPL12] any range of an attachment is the same bytes of it', async () => {
  await using file = await openFile();
  const { bytes, get } = file;
  for (let count = 0; count < RANGES; count += 1) {
    const start = someNumber(BYTE_SIZE);
    const end = Math.min(BYTE_SIZE - 1, start + someNumber(BYTE_SIZE - start));
    const response = await get(`bytes=${start}-${end}`);
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end}/${BYTE_SIZE}`);
    expect(response.headers.get('content-length')).toBe(String(end - start + 1));
    const same = (await bytesOf(response)).equals(bytes.subarray(start, end + 1));
    expect({ start, end, same }).toEqual({ start, end, same: true });
  }
});

test('[UPL12] the edges of an attachment and open ends mean what they say', async () => {
  await using file = await openFile();
  for (const [range, start, endExclusive] of [
    ['bytes=0-0', 0, 1],
    ['bytes=300016-300016', BYTE_SIZE - 1, BYTE_SIZE],
    ['bytes=65535-65536', 65_535, 65_537],
    ['bytes=1000-', 1_000, BYTE_SIZE],
    ['bytes=299999-999999999', 299_999, BYTE_SIZE],
    ['bytes=-17', BYTE_SIZE - 17, BYTE_SIZE],
    // RFC 9110 §14.1.2: a suffix longer than the whole means the whole.
    [`bytes=-${BYTE_SIZE + 1}`, 0, BYTE_SIZE],
  ] as const) {
    const response = await file.get(range);
    expect({ range, status: response.status }).toEqual({ range, status: 206 });
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${endExclusive - 1}/${BYTE_SIZE}`);
    expect((await bytesOf(response)).equals(file.bytes.subarray(start, endExclusive))).toBe(true);
  }
});

test('[UPL12] a range outside of the attachment is refused, and its size is told', async () => {
  await using file = await openFile();
  for (const range of [`bytes=${BYTE_SIZE}-`, 'bytes=999999999-', 'bytes=5-4', 'bytes=-0']) {
    const response = await file.get(range);
    expect({ range, status: response.status }).toEqual({ range, status: 416 });
    expect(response.headers.get('content-range')).toBe(`bytes */${BYTE_SIZE}`);
    expect((await bytesOf(response)).byteLength).toBe(0);
  }
});

test('[UPL12] several ranges, or none that is understood, are answered with the whole', async () => {
  await using file = await openFile();
  for (const range of [undefined, 'bytes=0-9,100-109', 'bytes=nonsense', 'pages=1-2']) {
    const response = await file.get(range);
    expect({ range, status: response.status }).toEqual({ range, status: 200 });
    expect(response.headers.get('accept-ranges')).toBe('bytes');
    expect(response.headers.get('content-length')).toBe(String(BYTE_SIZE));
    expect((await bytesOf(response)).equals(file.bytes)).toBe(true);
  }
});

test('[UPL12] HEAD answers what GET would, without the bytes', async () => {
  await using file = await openFile();
  expect(await file.ask('HEAD')).toMatchObject({ status: 200, text: '' });
});
