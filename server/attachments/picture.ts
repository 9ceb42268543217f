import { fileURLToPath } from 'node:url';
import { AppError, MAX_IMAGE_PIXELS } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import { type ChildLimits, type ChildOutcome, runLimitedChild } from './limited-child.ts';
import {
  type PictureMade,
  type PictureOrder,
  type PictureRefusal,
  type PictureReply,
  READY,
} from './picture-order.ts';
import { refuse, refuseSize } from './refusal.ts';
import { nameOfFormat, sniff } from './sniff.ts';

/** A picture made anew from what was sent: nothing of the file that was sent is in it but what can be seen. */
export interface ProcessedPicture {
  readonly original: Buffer;
  /** WebP, at most 480 pixels wide and high. */
  readonly thumbnail: Buffer;
  /** Of the original: JPEG, or PNG if it may be transparent. */
  readonly contentType: PictureMade['contentType'];
  readonly thumbnailContentType: 'image/webp';
  /** Of the original, in pixels, as it is to be seen. */
  readonly width: number;
  readonly height: number;
  /** Base64. */
  readonly thumbhash: string;
}

export interface PictureTools {
  /** The Node that runs the child. */
  readonly nodePath: string;
  readonly prlimitPath: string | null;
  /** Ends running children, for when the server closes. */
  readonly signal?: AbortSignal | undefined;
  /** Told after every picture by how many bytes the child's memory grew; 0 if unknown. For metrics. */
  readonly onPictureDone?: ((grownBytes: number) => void) | undefined;
}

const ORDER: PictureOrder = {
  maxPixels: MAX_IMAGE_PIXELS,
  // 10 megapixels of the hungriest progressive JPEG, 21 of the usual one, 16 of WebP.
  maxHeldBytes: 64 * 1024 * 1024,
  // A doctor zooms in; above 4096 pixels a phone's sensor adds noise, and many browsers cannot show more.
  maxSide: 4096,
  thumbnailSide: 480,
  jpegQuality: 88,
};

const LIMITS: ChildLimits = {
  // The largest picture takes 1 s on one core of 2020; the rest is for a busy machine.
  wallClockMs: 20_000,
  cpuSeconds: 15,
  // Node alone reserves 600 MB that it never touches; what is left is the last defence, behind `maxHeldBytes`.
  memoryBytes: 1024 * 1024 * 1024,
  // 4096 × 4096 × 4 bytes, as PNG of noise, and the thumbnail.
  outputBytes: 80 * 1024 * 1024,
};

/** Megabytes of JavaScript heap; pictures are held outside of it. */
const HEAP_MB = 64;

const childProgram = fileURLToPath(new URL('./picture-child.ts', import.meta.url));

const reasons = {
  'too many pixels': () => refuseSize('The picture has more than 64 million pixels.'),
  'too much to hold': () =>
    refuseSize('The picture is too large for its form. Save it as an ordinary JPEG and send it again.'),
  unreadable: () => refuse('The picture is damaged and cannot be read.'),
} satisfies Record<PictureRefusal, () => AppError>;

/**
 * Makes a picture anew from JPEG, PNG, WebP or GIF (its first frame): turned upright, sRGB, without metadata, at most
 * 4096 pixels a side. Decodes in a child process that can write nowhere and is killed after 20 s.
 * @throws AppError UNSUPPORTED_MEDIA, TOO_LARGE with a reason for people
 * @throws AppError SHUTTING_DOWN when `tools.signal` ended it
 * @throws AppError MEDIA_UNAVAILABLE when the child cannot be run: try later
 */
export async function processPicture(bytes: Uint8Array, tools: PictureTools): Promise<ProcessedPicture> {
  const format = sniff(bytes);
  if (format !== 'jpeg' && format !== 'png' && format !== 'webp' && format !== 'gif') {
    const name = await nameOfFormat(bytes);
    throw refuse(`${name} is not accepted as a picture. Send JPEG, PNG, WebP or GIF.`);
  }
  const outcome = await runLimitedChild({
    command: tools.nodePath,
    args: [`--max-old-space-size=${HEAP_MB}`, '--no-warnings', childProgram, JSON.stringify(ORDER)],
    input: bytes,
    limits: LIMITS,
    prlimitPath: tools.prlimitPath,
    signal: tools.signal,
  });
  return toPicture(outcome, tools);
}

function toPicture(outcome: ChildOutcome, tools: PictureTools): ProcessedPicture {
  switch (outcome.ended) {
    case 'exited': {
      if (outcome.code !== 0)
        throw unavailable(`The picture child exited with ${outcome.code}: ${outcome.errors.slice(-500)}`);
      const { reply, rest } = parseAnswer(outcome.output);
      tools.onPictureDone?.(reply.grownBytes);
      if ('refused' in reply) throw reasons[reply.refused]();
      const { originalBytes, ...facts } = reply.made;
      return {
        ...facts,
        original: rest.subarray(0, originalBytes),
        thumbnail: rest.subarray(originalBytes),
        thumbnailContentType: 'image/webp',
      };
    }
    case 'killed':
      // SIGKILL comes from the operating system when memory is short, SIGTERM from an operator.
      if (outcome.output[0] !== READY || outcome.signal === 'SIGKILL' || outcome.signal === 'SIGTERM')
        throw unavailable(`The picture child was ended by ${outcome.signal}.`);
      throw reasons.unreadable();
    case 'out of time':
      throw refuse('The picture takes too long to read.');
    case 'too much output':
      throw refuseSize('The picture is too large.');
    case 'given up':
      throw new AppError('SHUTTING_DOWN');
    case 'not started':
      throw new AppError('MEDIA_UNAVAILABLE', { cause: outcome.cause });
    default:
      return unreachable(outcome);
  }
}

const unavailable = (message: string) => new AppError('MEDIA_UNAVAILABLE', { cause: new Error(message) });

function parseAnswer(output: Buffer): { reply: PictureReply; rest: Buffer } {
  const start = 1 + 4;
  const end = start + output.readUInt32BE(1);
  // The child is a part of this server: what it answers is trusted to have the documented shape.
  const reply = JSON.parse(output.toString('utf8', start, end)) as PictureReply;
  return { reply, rest: output.subarray(end) };
}
