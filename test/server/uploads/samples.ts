/** Files to send, good and bad. Every one is made here. */
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';
import { findPrlimit } from '@teleconsult/server/attachments/limited-child';
import {
  type AttachmentTools,
  createAttachmentTools,
} from '@teleconsult/server/attachments/process-attachment';
import sharp from 'sharp';

const run = promisify(execFile);

/** The tools a server is given; ffmpeg by its path, since a server looks nowhere for it. */
export async function attachmentTools(): Promise<AttachmentTools> {
  return createAttachmentTools({
    nodePath: process.execPath,
    ffmpegPath: await findFfmpeg(),
    prlimitPath: await findPrlimit(),
  });
}

/** The ffmpeg of set-up, or the system's. */
export async function findFfmpeg(): Promise<string> {
  const chosen = process.env['FFMPEG_PATH'];
  if (chosen !== undefined) return chosen;
  const path = '/usr/bin/ffmpeg';
  await access(path);
  return path;
}

export const jpeg = (width = 640, height = 480, background = '#446688'): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background } })
    .jpeg()
    .toBuffer();

/** A picture that does not get small: every pixel is another. */
export async function noisyPng(width: number, height: number): Promise<Buffer> {
  const pixels = Buffer.alloc(width * height * 3);
  for (let index = 0; index < pixels.byteLength; index += 1) pixels[index] = (index * 7919) % 251;
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

type ToneFormat = 'ogg' | 'wav' | 'mp3';

/** A tone of 440 Hz, loud in its first half and silent in its second, with a title that speaks. */
export async function tone(seconds: number, format: ToneFormat = 'ogg', title = 'A tone'): Promise<Buffer> {
  const codec = { ogg: 'libopus', wav: 'pcm_s16le', mp3: 'libmp3lame' }[format];
  const sound = `sine=frequency=440:duration=${seconds},volume='if(lt(t,${seconds / 2}),4,0)':eval=frame`;
  const { stdout } = await run(
    await findFfmpeg(),
    [
      ['-v', 'error', '-f', 'lavfi', '-i', sound, '-metadata', `title=${title}`],
      ['-ac', '1', '-c:a', codec, '-f', format, 'pipe:1'],
    ].flat(),
    { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 },
  );
  return stdout;
}

/** A PDF of about this size that shows nothing; its stream holds the given bytes again and again. */
export function pdf(byteSize = 2_000, filler: Uint8Array = Buffer.from('% nothing to see\n')): Buffer {
  const head = Buffer.from(
    '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n3 0 obj<<>>stream\n',
  );
  const tail = Buffer.from('\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n');
  const body = Buffer.alloc(Math.max(0, byteSize - head.byteLength - tail.byteLength), filler);
  return Buffer.concat([head, body, tail]);
}

export const svg = (): Buffer =>
  Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');

export const html = (): Buffer => Buffer.from('<!doctype html><html><script>alert(1)</script></html>');

/** What a Windows program begins with. */
export const exe = (): Buffer => Buffer.concat([Buffer.from('MZ\x90\0\x03\0\0\0'), Buffer.alloc(2_000, 7)]);
