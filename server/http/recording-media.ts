import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '@teleconsult/protocol';
import { type Request, type Response, Router } from 'express';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { LinkedMedia, MediaLinks } from '../playback/media-links.ts';
import { askedRange } from './range.ts';
import { Streams } from './streams.ts';

/** Links from one address in a minute that lead nowhere, before it is told to wait. */
const FAILURES_A_MINUTE = 60;
/** A player that takes nothing for so long asks again when it needs more. */
const STALLED_MS = 120_000;

/**
 * Sealed media for players and downloads (RFC 9110 §14). What authorises is the link itself, since a player sends no
 * token; it is judged with every request.
 */
export function recordingMediaRouter(links: Pick<MediaLinks, 'open'>): Router {
  const failures = new RateLimiterMemory({ points: FAILURES_A_MINUTE, duration: 60 });
  const streams = new Streams();
  const router = Router();
  router.get('/:ticket', async (request, response) => {
    await using media = await open(request);
    const leave = streams.enter(media.personId);
    try {
      await answerMedia(request, response, media);
    } finally {
      leave();
    }
  });
  return router;

  async function open(request: Request): Promise<LinkedMedia> {
    try {
      return await links.open(request.params['ticket']?.toString() ?? '');
    } catch (error) {
      const isGuess = error instanceof AppError && error.code === 'NOT_FOUND';
      const tooMany =
        isGuess &&
        (await failures.consume(request.socket.remoteAddress ?? 'unknown').then(
          () => false,
          () => true,
        ));
      throw tooMany ? new AppError('RATE_LIMITED') : error;
    }
  }
}

/** Answers with a range or the whole, as asked. */
export async function answerMedia(request: Request, response: Response, media: LinkedMedia): Promise<void> {
  const { byteSize, etag, fileName } = media;
  const ifRange = request.headers['if-range'];
  // A date is no strong validator of ours: then the whole is answered (RFC 9110 §13.1.5).
  const isCurrent = ifRange === undefined || ifRange === etag;
  // For GET alone a range means something (RFC 9110 §14.2).
  const counts = isCurrent && request.method === 'GET';
  const range = askedRange(counts ? request.headers.range : undefined, byteSize);
  // Whatever a file claims to be, the browser must not run it as a page of ours.
  response.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('ETag', etag);
  if (range.kind === 'unsatisfiable') {
    response.status(416).setHeader('Content-Range', `bytes */${byteSize}`).end();
    return;
  }
  const { start, endExclusive } = range.kind === 'part' ? range : { start: 0, endExclusive: byteSize };
  if (fileName !== null) response.attachment(fileName);
  // After `attachment`, which guesses a type from the ending.
  response.setHeader('Content-Type', media.contentType);
  response.setHeader('Content-Length', endExclusive - start);
  if (range.kind === 'part')
    response.status(206).setHeader('Content-Range', `bytes ${start}-${endExclusive - 1}/${byteSize}`);
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  await send(response, media.read({ start, endExclusive }));
}

async function send(response: Response, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const source = bytes[Symbol.asyncIterator]();
  // A damaged beginning is still answered with its code; after the first byte only the connection can end.
  let first: IteratorResult<Uint8Array>;
  try {
    first = await source.next();
  } catch (error) {
    for (const name of ['Content-Length', 'Content-Range', 'Content-Disposition', 'ETag', 'Accept-Ranges'])
      response.removeHeader(name);
    throw error;
  }
  if (first.done === true) {
    response.end();
    return;
  }
  response.setTimeout(STALLED_MS, () => response.destroy());
  try {
    await pipeline(Readable.from(rest(first.value, source), { objectMode: false }), response);
  } catch (error) {
    // The player went away in the middle, as players do when somebody seeks.
    if (!isPrematureClose(error)) throw error;
  } finally {
    await source.return?.();
  }
}

async function* rest(first: Uint8Array, source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  for (;;) {
    const next = await source.next();
    if (next.done === true) return;
    yield next.value;
  }
}

/** It went away in the middle, or before the first byte was there. */
const isPrematureClose = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'ERR_STREAM_PREMATURE_CLOSE' || error.code === 'ERR_STREAM_UNABLE_TO_PIPE');
