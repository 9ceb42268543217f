import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Transcriber } from './transcriber.ts';

/** The words of ten minutes are 20 KB; more than this is read of no answer. */
const MOST_ANSWER_BYTES = 256 * 1024;

const Answer = z.object({ text: z.string() });

export interface HttpTranscriberOptions {
  /** Where sound is sent. `https:`, or `http:` to this machine: the configuration sees to it. */
  readonly url: string;
  /** Sent as a bearer token; null: none. */
  readonly token: string | null;
}

/**
 * A speech service over HTTP. The request is the sound itself: no id, no cookie, no name, nothing that says whose it
 * is (S4.3). `?language=zh|en` when it is known.
 *
 *     POST <url>   Content-Type: audio/x-raw;format=S16LE;rate=16000;channels=1
 *     200          {"text": "…"}
 */
export class HttpTranscriber implements Transcriber {
  readonly #options: HttpTranscriberOptions;
  readonly #closing = new AbortController();

  constructor(options: HttpTranscriberOptions) {
    this.#options = options;
  }

  async transcribe(
    pcm: AsyncIterable<Uint8Array>,
    { language, signal }: { readonly language: 'zh' | 'en' | null; readonly signal: AbortSignal },
  ): Promise<string> {
    const { url, token } = this.#options;
    const address = new URL(url);
    if (language !== null) address.searchParams.set('language', language);
    const ending = AbortSignal.any([signal, this.#closing.signal]);
    const response = await fetch(address, {
      method: 'POST',
      headers: {
        'content-type': 'audio/x-raw;format=S16LE;rate=16000;channels=1',
        accept: 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: Readable.from(pcm, { objectMode: false }),
      duplex: 'half',
      // Sound goes to the address that was configured and nowhere else.
      redirect: 'error',
      signal: ending,
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`The speech service answered ${response.status}.`);
    }
    return Answer.parse(JSON.parse(await textOf(response))).text;
  }

  /** Ends what is under way. May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort();
  }
}

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let byteSize = 0;
  for await (const chunk of body ?? []) {
    byteSize += chunk.byteLength;
    if (byteSize > MOST_ANSWER_BYTES) throw new Error('The speech service answered too much.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
