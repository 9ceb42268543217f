/** Pictures to send, good and bad. Every one is made here: nothing is a file that somebody must trust. */
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';

export const CANARY = 'CANARY-5d1e';

/** Where GPS would say a picture was taken, and words that must not survive. */
const EXIF = {
  IFD0: { Copyright: CANARY, ImageDescription: CANARY, Make: CANARY, Artist: CANARY },
  IFD3: {
    GPSLatitudeRef: 'N',
    GPSLatitude: '31/1 13/1 49/1',
    GPSLongitudeRef: 'E',
    GPSLongitude: '121/1 28/1 25/1',
  },
} as const;

const XMP = `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="${CANARY}"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`;

export const flat = (width: number, height: number, background = '#884422') =>
  sharp({ create: { width, height, channels: 3, background }, limitInputPixels: false });

const tell = (picture: Sharp) => picture.withExif(EXIF).withXmp(XMP).withIccProfile('p3');

/** Pictures full of metadata, in every accepted format. */
export async function tellingPictures(): Promise<Record<string, Buffer>> {
  const alpha = sharp({ create: { width: 300, height: 200, channels: 4, background: '#88442280' } });
  return {
    jpeg: await tell(flat(300, 200)).jpeg().toBuffer(),
    'progressive jpeg': await tell(flat(300, 200)).jpeg({ progressive: true }).toBuffer(),
    png: withPngChunk(await tell(flat(300, 200)).png().toBuffer(), 'tEXt', Buffer.from(`Comment\0${CANARY}`)),
    'png with alpha': await tell(alpha.clone()).png().toBuffer(),
    webp: await tell(flat(300, 200)).webp().toBuffer(),
    'webp with alpha': await tell(alpha.clone()).webp().toBuffer(),
    gif: withGifComment(await flat(300, 200).gif().toBuffer()),
  };
}

/** Pictures that are something else as well. */
export async function polyglots(): Promise<Record<string, Buffer>> {
  const jpeg = await flat(64, 64).jpeg().toBuffer();
  const png = await flat(64, 64).png().toBuffer();
  const gif = await flat(64, 64).gif().toBuffer();
  const script = Buffer.from(`<script>alert("${CANARY}")</script>`);
  const zip = Buffer.concat([Buffer.from('PK\x03\x04'), script, Buffer.from('PK\x05\x06'), Buffer.alloc(18)]);
  const comment = Buffer.concat([Buffer.from([0xff, 0xfe, 0, script.byteLength + 2]), script]);
  return {
    'jpeg with a page behind': Buffer.concat([jpeg, script]),
    'jpeg with an archive behind': Buffer.concat([jpeg, zip]),
    'jpeg with a script in a comment': Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2)]),
    'jpeg with a second jpeg behind': Buffer.concat([jpeg, await tell(flat(64, 64)).jpeg().toBuffer()]),
    'png with a page behind': Buffer.concat([png, script]),
    'png with a program in a chunk': withPngChunk(
      png,
      'prVt',
      Buffer.concat([Buffer.from('\x7fELF'), script]),
    ),
    'gif with a page behind': Buffer.concat([gif, script]),
    'gif with a page in a comment': withGifComment(gif),
  };
}

const ftyp = (brand: string) =>
  Buffer.concat([
    Buffer.from([0, 0, 0, 24]),
    Buffer.from(`ftyp${brand}`),
    Buffer.alloc(4),
    Buffer.from(`mif1${brand}`),
    Buffer.alloc(200),
  ]);

/** What is refused, whatever it is called. */
export async function intruders(): Promise<Record<string, Buffer>> {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10"/></svg>';
  const html = '<!doctype html><script>alert(1)</script>';
  const small = flat(64, 64);
  return {
    svg: Buffer.from(svg),
    'svg with a declaration': Buffer.from(`<?xml version="1.0"?>\n<!-- drawing -->\n${svg}`),
    'svg with a mark': Buffer.from(`\ufeff${svg}`),
    'packed svg': deflateSync(Buffer.from(svg)),
    'svg that begins as a gif': Buffer.from(`GIF89a=1;//${svg}`),
    'svg that begins as a jpeg': Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from(svg)]),
    html: Buffer.from(html),
    avif: await small.clone().avif().toBuffer(),
    heic: ftyp('heic'),
    tiff: await small.clone().tiff().toBuffer(),
    pdf: Buffer.from('%PDF-1.7\n%%EOF\n'),
    bmp: Buffer.concat([Buffer.from('BM'), Buffer.alloc(100)]),
    'portable pixmap': Buffer.from('P6 1 1 255\n\0\0\0'),
    'vips image': Buffer.concat([Buffer.from([0x08, 0xf2, 0xa6, 0xb6]), Buffer.alloc(100)]),
    'radiance image': Buffer.from('#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n\0\0\0\0'),
    'comma separated numbers': Buffer.from('1,2,3\n4,5,6\n'),
    'jpeg 2000': Buffer.from('\0\0\0\x0cjP  \r\n\x87\n', 'latin1'),
    'jpeg xl': Buffer.from([0xff, 0x0a, 0, 0, 0, 0]),
    wav: Buffer.from('RIFF\0\0\0\0WAVEfmt '),
    'a jpeg’s first bytes': Buffer.from([0xff, 0xd8, 0xff]),
    'a png’s first bytes': Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    'a gif’s first bytes': Buffer.from('GIF89a'),
    'a webp’s first bytes': Buffer.from('RIFF\0\0\0\0WEBP'),
    nothing: Buffer.alloc(0),
    zeros: Buffer.alloc(1000),
  };
}

/** Small files that would be huge pictures, or hide something huge. */
export async function bombs(): Promise<Record<string, Buffer>> {
  const png = await flat(64, 64).png().toBuffer();
  const gif = await flat(64, 64).gif().toBuffer();
  const jpeg = await flat(64, 64).jpeg().toBuffer();
  const jpegSize = jpeg.indexOf(Buffer.from([0xff, 0xc0])) + 5;
  const hugeJpeg = Buffer.from(jpeg);
  hugeJpeg.writeUInt16BE(65_500, jpegSize);
  hugeJpeg.writeUInt16BE(65_500, jpegSize + 2);
  const hugeGif = Buffer.from(gif);
  hugeGif.writeUInt16LE(65_535, 6);
  hugeGif.writeUInt16LE(65_535, 8);
  const zeros = deflateSync(Buffer.alloc(100_000_000));
  return {
    'png of 196 megapixels': await flat(14_000, 14_000).png({ compressionLevel: 9 }).toBuffer(),
    'png that claims 2^62 pixels': withPngSize(png, 2 ** 31 - 1, 2 ** 31 - 1),
    'png that claims 4 gigapixels': withPngSize(png, 65_535, 65_535),
    'jpeg that claims 4 gigapixels': hugeJpeg,
    'jpeg of 64 megapixels, progressive': await flat(8000, 8000)
      .jpeg({ progressive: true, chromaSubsampling: '4:4:4' })
      .toBuffer(),
    'png of 64 megapixels, interlaced': await flat(8000, 8000).png({ progressive: true }).toBuffer(),
    'webp of 64 megapixels': await flat(8000, 8000).webp({ effort: 0 }).toBuffer(),
    'webp that claims 268 megapixels': webpClaiming(16_384, 16_384),
    'gif of 64 megapixels': await flat(8000, 8000).gif({ effort: 1, colours: 2 }).toBuffer(),
    'gif that claims 4 gigapixels': hugeGif,
    'png with 100 MB of packed text': withPngChunk(
      png,
      'zTXt',
      Buffer.concat([Buffer.from('Comment\0\0'), zeros]),
    ),
    'png with 100 MB of packed international text': withPngChunk(
      png,
      'iTXt',
      Buffer.concat([Buffer.from('Comment\0\x01\0\0\0'), zeros]),
    ),
    'png with a packed profile of 100 MB': withPngChunk(
      png,
      'iCCP',
      Buffer.concat([Buffer.from('profile\0\0'), zeros]),
    ),
    'png of 64 megapixels': await flat(8000, 8000).png({ compressionLevel: 9 }).toBuffer(),
    'jpeg of 64 megapixels': await flat(8000, 8000).jpeg().toBuffer(),
  };
}

/** Of the bombs, those that may be made, line by line or without what they claim or hide. */
export const DEFUSED = new Set([
  'png of 64 megapixels',
  'jpeg of 64 megapixels',
  'gif that claims 4 gigapixels',
  'png with 100 MB of packed text',
  'png with 100 MB of packed international text',
  'png with a packed profile of 100 MB',
]);

function withPngChunk(png: Buffer, type: string, content: Buffer): Buffer {
  const afterHeader = 8 + 12 + 13;
  return Buffer.concat([png.subarray(0, afterHeader), pngChunk(type, content), png.subarray(afterHeader)]);
}

function withPngSize(png: Buffer, width: number, height: number): Buffer {
  const header = Buffer.from(png.subarray(16, 29));
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([png.subarray(0, 8), pngChunk('IHDR', header), png.subarray(33)]);
}

function pngChunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.byteLength);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

function withGifComment(gif: Buffer): Buffer {
  const text = Buffer.from(CANARY);
  const comment = Buffer.concat([Buffer.from([0x21, 0xfe, text.byteLength]), text, Buffer.alloc(1)]);
  const tableBits = (gif[10] ?? 0) & 0x87;
  const afterHeader = 13 + (tableBits & 0x80 ? 3 * 2 ** ((tableBits & 7) + 1) : 0);
  return Buffer.concat([gif.subarray(0, afterHeader), comment, gif.subarray(afterHeader)]);
}

function webpClaiming(width: number, height: number): Buffer {
  const chunk = Buffer.alloc(18);
  chunk.write('VP8X', 'latin1');
  chunk.writeUInt32LE(10, 4);
  chunk.writeUIntLE(width - 1, 12, 3);
  chunk.writeUIntLE(height - 1, 15, 3);
  const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
  head.writeUInt32LE(4 + chunk.byteLength, 4);
  return Buffer.concat([head, chunk]);
}
