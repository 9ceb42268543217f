import { execPath } from 'node:process';
import { Attachment, AttachmentId, MAX_UPLOAD_BYTES } from '@teleconsult/protocol';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { findPrlimit } from '../../../server/attachments/limited-child.ts';
import { createAttachmentTools, processAttachment } from '../../../server/attachments/process-attachment.ts';
import { pdf } from './documents.fixtures.ts';
import { flat } from './pictures.fixtures.ts';
import { ffmpegPath, recording } from './sounds.fixtures.ts';

const tools = createAttachmentTools({ nodePath: execPath, ffmpegPath, prlimitPath: await findPrlimit() });
const attachmentId = AttachmentId.parse(`att_${'1'.repeat(22)}`);

async function* pieces(bytes: Buffer, length = 10_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.byteLength; at += length) yield bytes.subarray(at, at + length);
}

const upload = (kind: 'image' | 'voice' | 'file', bytes: Buffer, fileName = 'x') =>
  processAttachment(
    { kind, bytes: pieces(bytes), fileName, declaredType: 'application/octet-stream' },
    tools,
  );

test('[ATT1] a picture gives facts of the wire’s shape, the picture and a thumbnail', async () => {
  const { attachment, parts } = await upload('image', await flat(640, 480).png().toBuffer());
  expect(Attachment.parse({ attachmentId, ...attachment })).toMatchObject({
    kind: 'image',
    contentType: 'image/jpeg',
    byteSize: parts.original.bytes.byteLength,
    width: 640,
    height: 480,
  });
  expect(parts.original.contentType).toBe('image/jpeg');
  expect(parts.thumbnail?.contentType).toBe('image/webp');
  expect(await sharp(parts.thumbnail?.bytes).metadata()).toMatchObject({ format: 'webp', width: 480 });
});

test.skipIf(ffmpegPath === null)(
  '[ATT1] a voice message gives facts of the wire’s shape, and the sound',
  async () => {
    const { attachment, parts } = await upload('voice', await recording('webm'));
    expect(Attachment.parse({ attachmentId, ...attachment })).toMatchObject({
      kind: 'voice',
      byteSize: parts.original.bytes.byteLength,
    });
    expect(parts).toEqual({
      original: { bytes: expect.any(Buffer), contentType: 'audio/webm; codecs=opus' },
    });
  },
);

test('[ATT1] a file gives facts of the wire’s shape, and itself byte by byte', async () => {
  const bytes = pdf('x'.repeat(50_000));
  const { attachment, parts } = await upload('file', bytes, 'a/b\u202e report');
  expect(Attachment.parse({ attachmentId, ...attachment })).toEqual({
    attachmentId,
    kind: 'file',
    contentType: 'application/pdf',
    byteSize: bytes.byteLength,
    fileName: 'a b report.pdf',
  });
  expect(parts.original.bytes.equals(bytes)).toBe(true);
});

test.each(['image', 'voice', 'file'] as const)(
  '[ATT2] reading %s stops as soon as it is too large',
  async (kind) => {
    let read = 0;
    let closed = false;
    const endless = async function* () {
      try {
        for (;;) {
          read += 1_000_000;
          yield Buffer.alloc(1_000_000);
        }
      } finally {
        closed = true;
      }
    };
    const processing = processAttachment({ kind, bytes: endless(), fileName: 'x', declaredType: '' }, tools);
    await expect(processing).rejects.toMatchObject({
      code: 'TOO_LARGE',
      detail: expect.stringMatching(/^The limit is \d+ MB\.$/),
    });
    expect(read).toBeLessThanOrEqual(MAX_UPLOAD_BYTES[kind] + 1_000_000);
    expect(closed).toBe(true);
  },
);

test.each(['image', 'voice', 'file'] as const)('[ATT2] an empty %s is refused', async (kind) => {
  await expect(upload(kind, Buffer.alloc(0))).rejects.toMatchObject({
    code: 'UNSUPPORTED_MEDIA',
    detail: 'The file is empty.',
  });
});

test('[ATT3] so many uploads are processed at once, and the others are not read until it is their turn', async () => {
  const narrow = createAttachmentTools({ nodePath: execPath, ffmpegPath, prlimitPath: null, concurrency: 2 });
  const begun: number[] = [];
  const finish = Promise.withResolvers<void>();
  const slow = async function* (index: number) {
    begun.push(index);
    await finish.promise;
    yield pdf();
  };
  const all = Array.from({ length: 5 }, (_, index) =>
    processAttachment({ kind: 'file', bytes: slow(index), fileName: 'x', declaredType: '' }, narrow),
  );
  await expect.poll(() => begun).toEqual([0, 1]);
  finish.resolve();
  await Promise.all(all);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});

test('[ATT4] an error of the upload’s bytes is thrown unchanged, and the next upload gets its turn', async () => {
  const failure = new Error('The store is gone.');
  const failing = async function* () {
    yield Buffer.from('%PDF-');
    throw failure;
  };
  for (let time = 0; time < 3; time += 1)
    await expect(
      processAttachment({ kind: 'file', bytes: failing(), fileName: 'x', declaredType: '' }, tools),
    ).rejects.toBe(failure);
  await upload('file', pdf());
});
