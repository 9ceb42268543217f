import type { Transcriber } from './transcriber.ts';

/** What the next transcription does instead of answering the usual text. */
export type FakeSpeech = 'fails' | 'hangs' | { readonly text: string };

/** What the fake was given: sound and a language, and that is all there is to record. */
export interface HeardSound {
  readonly bytes: number;
  readonly loudest: number;
  readonly language: 'zh' | 'en' | null;
}

/** A speech service that understands nothing: for tests and for trying things out. */
export class FakeTranscriber implements Transcriber {
  readonly heard: HeardSound[] = [];
  #next: FakeSpeech | null = null;
  #atOnce = 0;
  #mostAtOnce = 0;
  #closed = false;

  /** Scripts the next transcription, and only that. */
  nextCall(speech: FakeSpeech): void {
    this.#next = speech;
  }

  /** Most transcriptions that ever ran at the same time. */
  get mostAtOnce(): number {
    return this.#mostAtOnce;
  }

  async transcribe(
    pcm: AsyncIterable<Uint8Array>,
    { language, signal }: { readonly language: 'zh' | 'en' | null; readonly signal: AbortSignal },
  ): Promise<string> {
    if (this.#closed) throw new Error('The speech service is closed.');
    const script = this.#next ?? { text: `spoken in ${language ?? 'some language'}` };
    this.#next = null;
    this.#atOnce += 1;
    this.#mostAtOnce = Math.max(this.#mostAtOnce, this.#atOnce);
    try {
      this.heard.push({ ...(await listen(pcm, signal)), language });
      if (script === 'fails') throw new Error('The speech service failed.');
      if (script === 'hangs') return await untilAborted(signal);
      return script.text;
    } finally {
      this.#atOnce -= 1;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}

async function listen(
  pcm: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<Pick<HeardSound, 'bytes' | 'loudest'>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of pcm) {
    signal.throwIfAborted();
    chunks.push(chunk);
  }
  const sound = Buffer.concat(chunks);
  let loudest = 0;
  for (let at = 0; at + 1 < sound.byteLength; at += 2)
    loudest = Math.max(loudest, Math.abs(sound.readInt16LE(at)));
  return { bytes: sound.byteLength, loudest };
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
