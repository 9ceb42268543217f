/**
 * Decodes one picture and encodes it anew. A program of its own, because decoders of pictures are where bad pictures
 * do harm: it gets the bytes on standard input, answers on standard output, and is limited and killed from outside.
 *
 * Argument: a PictureOrder as JSON. Answer: one byte as soon as the program is ready (what goes wrong later is the
 * picture's doing), the length of a PictureReply (4 bytes, big endian), the reply as JSON, the picture, the thumbnail.
 */
import { readFileSync } from 'node:fs';
import { argv, stdin, stdout } from 'node:process';
import { buffer } from 'node:stream/consumers';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { rgbaToThumbHash } from 'thumbhash';
import { type PictureOrder, type PictureRefusal, type PictureReply, READY } from './picture-order.ts';

/** Only these four decoders exist here, whatever a file says it is, and only from memory. */
const DECODERS = [
  'VipsForeignLoadJpegBuffer',
  'VipsForeignLoadPngBuffer',
  'VipsForeignLoadWebpBuffer',
  'VipsForeignLoadNsgifBuffer',
];

/** A thumbhash keeps no more; its author's limit. */
const THUMBHASH_SIDE = 100;

class Refusal extends Error {
  readonly refusal: PictureRefusal;

  constructor(refusal: PictureRefusal) {
    super(refusal);
    this.refusal = refusal;
  }
}

async function main(): Promise<void> {
  const order = JSON.parse(argv[2] ?? '') as PictureOrder;
  sharp.cache(false);
  sharp.concurrency(1);
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: DECODERS });
  stdout.write(Buffer.of(READY));
  const idleBytes = residentBytes('VmRSS');
  const grownBytes = () => Math.max(0, residentBytes('VmHWM') - idleBytes);
  const bytes = await buffer(stdin);
  try {
    const { original, thumbnail, made } = await make(bytes, order);
    write({ made, grownBytes: grownBytes() }, original, thumbnail);
  } catch (error) {
    // A decoder's own words may quote the file: they stay here.
    const refused = error instanceof Refusal ? error.refusal : 'unreadable';
    write({ refused, grownBytes: grownBytes() });
  }
}

async function make(bytes: Buffer, order: PictureOrder) {
  const picture = sharp(bytes, {
    limitInputPixels: order.maxPixels,
    // Truncated pixels are an error; oddities that every camera's files have are not.
    failOn: 'error',
    sequentialRead: true,
    pages: 1,
  });
  const { hasAlpha } = await headerOf(picture, order);
  const sized = picture.autoOrient().resize({ ...squareOf(order.maxSide) });
  // Colours become sRGB, and profile, EXIF, XMP and comments are left behind: sharp does both unasked.
  const { data: original, info } = await (hasAlpha
    ? sized.png({ compressionLevel: 6 })
    : // Skin must keep its colours (4:4:4). Optimised coding would hold the whole picture in memory.
      sized.jpeg({ quality: order.jpegQuality, chromaSubsampling: '4:4:4', optimiseCoding: false })
  ).toBuffer({ resolveWithObject: true });
  const thumbnail = await sharp(original)
    .resize({ ...squareOf(order.thumbnailSide) })
    .webp({ quality: 75 })
    .toBuffer();
  const made = {
    contentType: hasAlpha ? 'image/png' : 'image/jpeg',
    width: info.width,
    height: info.height,
    thumbhash: await thumbhashOf(thumbnail),
    originalBytes: original.byteLength,
  } as const;
  return { original, thumbnail, made };
}

const squareOf = (side: number) =>
  ({ width: side, height: side, fit: 'inside', withoutEnlargement: true }) as const;

/** Reads the header alone, and refuses what would take too much to decode. */
async function headerOf(picture: Sharp, order: PictureOrder): Promise<Metadata> {
  const metadata = await picture.metadata().catch((error: unknown) => {
    if (error instanceof Error && error.message.includes('pixel limit')) throw new Refusal('too many pixels');
    throw error;
  });
  if (metadata.width * metadata.height > order.maxPixels) throw new Refusal('too many pixels');
  if (bytesHeldWhole(metadata) > order.maxHeldBytes) throw new Refusal('too much to hold');
  return metadata;
}

/**
 * What a decoder must hold at once. Ordinary JPEG and PNG pass by line by line; a progressive JPEG keeps two bytes
 * for every coefficient, interlaced PNG, GIF and WebP keep the whole picture.
 */
function bytesHeldWhole(metadata: Metadata): number {
  const { format, width, height, channels, isProgressive, chromaSubsampling, depth } = metadata;
  const pixels = width * height;
  if (format === 'gif') return pixels * 8;
  if (format === 'webp') return pixels * 4;
  if (isProgressive !== true) return 0;
  if (format === 'png') return pixels * channels * (depth === 'ushort' ? 2 : 1);
  return pixels * (chromaSubsampling === '4:2:0' ? 1.5 : channels) * 2;
}

async function thumbhashOf(thumbnail: Buffer): Promise<string> {
  const { data, info } = await sharp(thumbnail)
    .resize({ ...squareOf(THUMBHASH_SIDE) })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return Buffer.from(rgbaToThumbHash(info.width, info.height, data)).toString('base64');
}

function write(reply: PictureReply, ...parts: readonly Buffer[]): void {
  const json = Buffer.from(JSON.stringify(reply));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.byteLength);
  for (const bytes of [length, json, ...parts]) stdout.write(bytes);
}

/** Memory in use now (VmRSS) or at most so far (VmHWM); 0 where there is no /proc. */
function residentBytes(field: 'VmRSS' | 'VmHWM'): number {
  try {
    const line = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'));
    return Number(line?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

await main();
