/** A program that processes a picture, a voice message and a file that it makes itself, and says what became of them. */
import { argv, execPath } from 'node:process';
import { crc32, deflateSync } from 'node:zlib';
import { findPrlimit } from '../../../server/attachments/limited-child.ts';
import { createAttachmentTools, processAttachment } from '../../../server/attachments/process-attachment.ts';

const tools = createAttachmentTools({
  nodePath: execPath,
  ffmpegPath: argv[2] ?? null,
  prlimitPath: await findPrlimit(),
});

const uploads = {
  image: picture(),
  voice: sound(),
  file: Buffer.from('words that nobody else may read'),
} as const;

for (const kind of ['image', 'voice', 'file'] as const) {
  const bytes = (async function* () {
    yield uploads[kind];
  })();
  const { attachment } = await processAttachment({ kind, bytes, fileName: 'x.txt', declaredType: '' }, tools);
  console.log(attachment.contentType);
}

/** A grey PNG of 64 × 64 pixels. */
function picture(): Buffer {
  const chunk = (type: string, content: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), content]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(content.byteLength);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.from([0, 0, 0, 64, 0, 0, 0, 64, 8, 0, 0, 0, 0]);
  const lines = Buffer.alloc(64 * 65);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A second of silence as WAV: 8,000 samples of 16 bits. */
function sound(): Buffer {
  const head = Buffer.from('RIFF....WAVEfmt ................data....', 'latin1');
  head.writeUInt32LE(36 + 16_000, 4);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8_000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  const whole = Buffer.concat([head.subarray(0, 36), Buffer.from('data....'), Buffer.alloc(16_000)]);
  whole.writeUInt32LE(16_000, 40);
  return whole;
}
