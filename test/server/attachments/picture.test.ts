import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { createGate } from '../../../server/attachments/gate.ts';
import { findPrlimit, runLimitedChild } from '../../../server/attachments/limited-child.ts';
import { type PictureTools, processPicture } from '../../../server/attachments/picture.ts';
import type { PictureOrder, PictureReply } from '../../../server/attachments/picture-order.ts';
import { acceptedOf, type MakesPictures, remainsIn } from './picture-claims.ts';
import { bombs, DEFUSED, flat, intruders, polyglots, tellingPictures } from './pictures.fixtures.ts';

const MEGABYTE = 1024 * 1024;
const prlimitPath = await findPrlimit();
const tools: PictureTools = { nodePath: execPath, prlimitPath };
const make: MakesPictures = (bytes) => processPicture(bytes, tools);

/** Colour of one place, as red, green, blue (and alpha). */
async function colourAt(picture: Buffer, left: number, top: number): Promise<number[]> {
  return [...(await sharp(picture).extract({ left, top, width: 1, height: 1 }).raw().toBuffer())];
}

const near = (colour: readonly number[]) => colour.map((value) => expect.closeTo(value, -1.4));

describe('[U1] pictures', { timeout: 120_000 }, () => {
  test('[U1] [PIC1] GPS, EXIF, XMP, profiles, comments and private parts are gone', async () => {
    expect(await remainsIn(await tellingPictures(), make)).toEqual([]);
  });

  test('[U1] [PIC1] what stood behind or within a picture is gone', async () => {
    expect(await remainsIn(await polyglots(), make)).toEqual([]);
  });

  test('[U1 sabotage] a pipeline with keepMetadata is seen to keep GPS', async () => {
    const remains = await remainsIn(await tellingPictures(), async (bytes) => ({
      original: await sharp(bytes).keepMetadata().jpeg().toBuffer(),
      thumbnail: await sharp(bytes).keepMetadata().resize(100).webp().toBuffer(),
    }));
    expect(remains).toContain('jpeg: Exif');
    expect(remains).toContain('jpeg: CANARY-5d1e');
    expect(remains).toContain('thumbnail of webp: chunk EXIF');
    expect(remains).toContain('thumbnail of webp: chunk XMP ');
  });

  test('[U1 sabotage] a pipeline that passes pictures on is seen to keep what stood behind', async () => {
    const remains = await remainsIn(await polyglots(), async (bytes) => {
      const isGif = bytes.toString('latin1', 0, 3) === 'GIF';
      const kept = isGif ? await sharp(bytes).jpeg().toBuffer() : bytes;
      return { original: kept, thumbnail: kept };
    });
    expect(remains).toContainEqual(
      expect.stringMatching(/^jpeg with a page behind: \d+ bytes behind the end$/),
    );
    expect(remains).toContain('png with a page behind: <script');
  });

  test('[U1] [PIC2] SVG, HEIC, AVIF, TIFF, PDF and everything else is refused with a reason', async () => {
    expect(await acceptedOf(await intruders(), make)).toEqual([]);
  });

  test('[U1 sabotage] sharp as it comes is seen to accept SVG, AVIF and TIFF', async () => {
    const accepted = await acceptedOf(await intruders(), async (bytes) => {
      const original = await sharp(bytes).jpeg().toBuffer();
      return { original, thumbnail: original };
    });
    expect(accepted).toEqual(expect.arrayContaining(['svg', 'avif', 'tiff']));
  });

  describe('bombs', () => {
    let sent: Record<string, Buffer>;
    beforeAll(async () => {
      sent = await bombs();
    });

    test('[U1] [PIC3] bombs are refused, or made line by line, and take less than 64 MB', async () => {
      const wrong: string[] = [];
      for (const [name, bytes] of Object.entries(sent)) {
        const growth: number[] = [];
        const accepted = await acceptedOf({ [name]: bytes }, (picture) =>
          processPicture(picture, { ...tools, onPictureDone: (grownBytes) => growth.push(grownBytes) }),
        );
        if (accepted.length > 0 && !DEFUSED.has(name)) wrong.push(`${accepted[0]} was accepted`);
        if (growth.length !== 1) wrong.push(`${name} ended the child`);
        for (const grown of growth)
          if (grown >= 64 * MEGABYTE) wrong.push(`${name} took ${grown / MEGABYTE} MB`);
      }
      expect(wrong).toEqual([]);
    });

    test('[U1 sabotage] without its limits the child is seen to take more than 64 MB', async () => {
      const unlimited = {
        maxPixels: 1e12,
        maxHeldBytes: 1e12,
        maxSide: 4096,
        thumbnailSide: 480,
        jpegQuality: 88,
      };
      const grown = await growthOf(sent['jpeg of 64 megapixels, progressive'] ?? Buffer.alloc(0), unlimited);
      expect(grown).toBeGreaterThan(64 * MEGABYTE);
    });
  });

  test('[PIC3] a picture of more than 64 megapixels is too large, and the reason says so', async () => {
    const picture = await flat(8001, 8001).jpeg().toBuffer();
    await expect(make(picture)).rejects.toMatchObject({
      code: 'TOO_LARGE',
      detail: 'The picture has more than 64 million pixels.',
    });
  });

  test('[PIC4] an ordinary photograph of 12 megapixels becomes a JPEG and a small WebP', async () => {
    const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
    const photo = sharp({ create: { width: 4000, height: 3000, channels: 3, background: '#888', noise } });
    const made = await processPicture(await photo.jpeg({ quality: 90 }).toBuffer(), tools);
    expect(made).toMatchObject({
      contentType: 'image/jpeg',
      thumbnailContentType: 'image/webp',
      width: 4000,
      height: 3000,
    });
    expect(await sharp(made.original).metadata()).toMatchObject({
      format: 'jpeg',
      width: 4000,
      height: 3000,
    });
    expect(await sharp(made.thumbnail).metadata()).toMatchObject({ format: 'webp', width: 480, height: 360 });
    expect(Buffer.from(made.thumbhash, 'base64').byteLength).toBeGreaterThanOrEqual(5);
    expect(made.thumbhash.length).toBeLessThanOrEqual(64);
  });

  test('[PIC4] a picture of more than 4096 pixels a side is made smaller, a small one is not made larger', async () => {
    const wide = await processPicture(await flat(6000, 1500).jpeg().toBuffer(), tools);
    expect(wide).toMatchObject({ width: 4096, height: 1024 });
    const small = await processPicture(await flat(20, 10).png().toBuffer(), tools);
    expect(small).toMatchObject({ width: 20, height: 10 });
    expect(await sharp(small.thumbnail).metadata()).toMatchObject({ width: 20, height: 10 });
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('[PIC5] orientation %i is applied', async (orientation) => {
    // As it is to be seen: red at the top left, green at the top right, blue at the bottom left.
    const seen = await sharp({ create: { width: 200, height: 100, channels: 3, background: '#fff' } })
      .composite([
        { input: await flat(50, 50, '#f00').png().toBuffer(), left: 0, top: 0 },
        { input: await flat(50, 50, '#0f0').png().toBuffer(), left: 150, top: 0 },
        { input: await flat(50, 50, '#00f').png().toBuffer(), left: 0, top: 50 },
      ])
      .png()
      .toBuffer();
    const made = await processPicture(await turnedAway(seen, orientation), tools);
    expect(made).toMatchObject({ width: 200, height: 100 });
    for (const picture of [made.original, made.thumbnail]) {
      expect(await colourAt(picture, 20, 20)).toEqual(near([255, 0, 0]));
      expect(await colourAt(picture, 180, 20)).toEqual(near([0, 255, 0]));
      expect(await colourAt(picture, 20, 80)).toEqual(near([0, 0, 255]));
    }
  });

  test('[PIC6] colours of another profile look the same in sRGB', async () => {
    const skin = { r: 200, g: 140, b: 110 };
    const source = sharp({ create: { width: 64, height: 64, channels: 3, background: skin } });
    for (const picture of [
      await source.clone().withIccProfile('p3').jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer(),
      await source.clone().withIccProfile('p3').png().toBuffer(),
      await source.clone().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer(),
      await source.clone().toColourspace('rgb16').png().toBuffer(),
    ]) {
      const made = await processPicture(picture, tools);
      expect(await colourAt(made.original, 30, 30)).toEqual(near([200, 140, 110]));
      expect(await sharp(made.original).metadata()).toMatchObject({
        channels: 3,
        space: 'srgb',
        depth: 'uchar',
      });
    }
  });

  test('[PIC7] what can be seen through stays so, as PNG', async () => {
    const glass = sharp({
      create: { width: 64, height: 64, channels: 4, background: { r: 0, g: 0, b: 255, alpha: 0.5 } },
    });
    for (const picture of [await glass.clone().png().toBuffer(), await glass.clone().webp().toBuffer()]) {
      const made = await processPicture(picture, tools);
      expect(made.contentType).toBe('image/png');
      expect((await colourAt(made.original, 5, 5))[3]).toBe(128);
      expect(await sharp(made.thumbnail).metadata()).toMatchObject({ hasAlpha: true });
    }
  });

  test('[PIC8] of a moving picture the first frame stays', async () => {
    const frames = await Promise.all(
      ['#f00', '#0f0', '#00f'].map((colour) => flat(32, 32, colour).png().toBuffer()),
    );
    const moving = sharp(frames, { join: { animated: true } });
    for (const picture of [
      await moving.clone().gif().toBuffer(),
      await moving.clone().webp({ lossless: true }).toBuffer(),
    ]) {
      expect(await sharp(picture).metadata()).toMatchObject({ pages: 3 });
      const made = await processPicture(picture, tools);
      expect(made).toMatchObject({ width: 32, height: 32 });
      expect((await colourAt(made.original, 16, 16)).slice(0, 3)).toEqual(near([255, 0, 0]));
    }
  });

  test('[PIC2] pictures that end too early are refused', async () => {
    const noise = { type: 'gaussian', mean: 128, sigma: 50 } as const;
    const picture = sharp({ create: { width: 300, height: 300, channels: 3, background: '#888', noise } });
    const whole = {
      jpeg: await picture.clone().jpeg().toBuffer(),
      'progressive jpeg': await picture.clone().jpeg({ progressive: true }).toBuffer(),
      png: await picture.clone().png().toBuffer(),
      webp: await picture.clone().webp().toBuffer(),
      gif: await picture.clone().gif().toBuffer(),
    };
    const cut = Object.entries(whole).flatMap(([name, bytes]) =>
      [0.3, 0.6, 0.9].map(
        (part) => [`${name} cut at ${part}`, bytes.subarray(0, bytes.byteLength * part)] as const,
      ),
    );
    expect(await acceptedOf(Object.fromEntries(cut), make)).toEqual([]);
  });

  test('[PIC9] random damage leads to a picture or a refusal, and to nothing else', async () => {
    const sources = Object.values(await tellingPictures());
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    const gate = createGate(2);
    const outcomes = Array.from({ length: 40 }, (_, index) => {
      const bytes = Buffer.from(sources[index % sources.length] ?? '');
      for (let change = 0; change < 8; change += 1) bytes[12 + random(bytes.byteLength - 12)] = random(256);
      return gate.run(async () => (await acceptedOf({ damaged: bytes }, make))[0] ?? 'refused');
    });
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['damaged', 'refused']));
  });

  test('[PIC10] without a Node to run the child the upload may be tried again', async () => {
    const picture = await flat(8, 8).png().toBuffer();
    await expect(processPicture(picture, { ...tools, nodePath: '/nonexistent/node' })).rejects.toMatchObject({
      code: 'MEDIA_UNAVAILABLE',
    });
    await expect(processPicture(picture, { ...tools, nodePath: '/bin/false' })).rejects.toMatchObject({
      code: 'MEDIA_UNAVAILABLE',
    });
  });

  test('[PIC10] a server that closes ends the child', async () => {
    const closing = new AbortController();
    const picture = await flat(4000, 4000).png().toBuffer();
    const making = processPicture(picture, { ...tools, signal: closing.signal });
    closing.abort();
    await expect(making).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });

  test('[PIC10] it works without prlimit', async () => {
    const made = await processPicture(await flat(8, 8).png().toBuffer(), { ...tools, prlimitPath: null });
    expect(made).toMatchObject({ width: 8, height: 8 });
  });
});

/** The file a camera writes that was held as the orientation says: the pixels turned, and the tag to turn them back. */
async function turnedAway(seen: Buffer, orientation: number): Promise<Buffer> {
  const turns: Record<number, (picture: Sharp) => Sharp> = {
    1: (picture) => picture,
    2: (picture) => picture.flop(),
    3: (picture) => picture.rotate(180),
    4: (picture) => picture.flip(),
    // Mirrored along a diagonal, which is its own inverse. Mirroring comes before turning here.
    5: (picture) => picture.flop().rotate(270),
    6: (picture) => picture.rotate(270),
    7: (picture) => picture.flop().rotate(90),
    8: (picture) => picture.rotate(90),
  };
  const turned = await (turns[orientation]?.(sharp(seen)) ?? sharp(seen)).png().toBuffer();
  return sharp(turned)
    .withMetadata({ orientation })
    .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
    .toBuffer();
}

/** Runs the picture child with orders of ours. */
async function growthOf(bytes: Buffer, order: PictureOrder): Promise<number> {
  const program = fileURLToPath(new URL('../../../server/attachments/picture-child.ts', import.meta.url));
  const limits = {
    wallClockMs: 60_000,
    cpuSeconds: 60,
    memoryBytes: 4096 * MEGABYTE,
    outputBytes: 100 * MEGABYTE,
  };
  const args = ['--no-warnings', program, JSON.stringify(order)];
  const outcome = await runLimitedChild({ command: execPath, args, input: bytes, limits, prlimitPath });
  if (outcome.ended !== 'exited') throw new Error(`The child was ${outcome.ended}.`);
  const length = outcome.output.readUInt32BE(1);
  return (JSON.parse(outcome.output.toString('utf8', 5, 5 + length)) as PictureReply).grownBytes;
}
