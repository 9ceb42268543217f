// Downloads one file, and gives up quickly where its host cannot be reached.
// Usage: node fetch-file.mjs <url> <file>. A program of its own, because only a newer Node than the one set-up
// may run on obeys HTTPS_PROXY (with NODE_USE_ENV_PROXY=1), and hospital networks often need it.

import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** An answer that takes longer than this is taken for a firewall that drops packets. */
const ANSWER_WITHIN_MS = 15_000;
const WHOLE_FILE_WITHIN_MS = 180_000;

const [url, file] = process.argv.slice(2);

try {
  const stop = new AbortController();
  const giveUp = () => stop.abort(new Error(`no answer within ${ANSWER_WITHIN_MS / 1000} s`));
  const noAnswer = setTimeout(giveUp, ANSWER_WITHIN_MS).unref();
  const wholeFile = AbortSignal.timeout(WHOLE_FILE_WITHIN_MS);
  const response = await fetch(url, { signal: AbortSignal.any([stop.signal, wholeFile]) });
  clearTimeout(noAnswer);
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  await pipeline(Readable.fromWeb(response.body), createWriteStream(file));
} catch (error) {
  // fetch reports "fetch failed" and keeps the reason in its cause.
  console.error(error.cause?.message ?? error.message);
  process.exitCode = 1;
}
