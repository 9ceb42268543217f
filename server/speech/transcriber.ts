/**
 * The port to a speech service. It is given sound and a language and nothing else: no name, no id, no consultation
 * leaves with it (S4.3).
 */
export interface Transcriber {
  /** 16 kHz mono 16-bit little-endian PCM in, words out. Throws when the service fails; the caller may try again. */
  transcribe(
    pcm: AsyncIterable<Uint8Array>,
    options: { readonly language: 'zh' | 'en' | null; readonly signal: AbortSignal },
  ): Promise<string>;
  close(): Promise<void>;
}
