import type { FileId, RecordingId, RecordingView, Waveform } from '@teleconsult/protocol';
import type { CallOptions } from '../api.ts';
import { askOnce, askUntilAnswered, type RecordParts } from './record-parts.ts';

interface FileOf {
  readonly recordingId: RecordingId;
  readonly fileId: FileId;
}

export interface MediaLink {
  readonly url: string;
  readonly contentType: string;
  readonly expiresAt: number;
}

/** What is done with recorded media. */
export class RecordingActs {
  readonly #parts: RecordParts & { readonly url: string };

  constructor(parts: RecordParts & { readonly url: string }) {
    this.#parts = parts;
  }

  async list(options?: CallOptions): Promise<readonly RecordingView[]> {
    const { signalling, consultationId } = this.#parts;
    return (await signalling.request('recording.list', { consultationId }, options)).recordings;
  }

  async link(file: FileOf, right: 'play' | 'download', options?: CallOptions): Promise<MediaLink> {
    const { signalling, consultationId, url: origin } = this.#parts;
    const ask = () => signalling.request('recording.link', { consultationId, ...file, right }, options);
    const link = await askUntilAnswered(this.#parts, ask, options);
    return { ...link, url: new URL(link.url, origin).href };
  }

  waveform(file: FileOf, options?: CallOptions & { readonly channel?: 0 | 1 }): Promise<Waveform> {
    const { signalling, consultationId } = this.#parts;
    const { channel, ...call } = options ?? {};
    const payload = { consultationId, ...file, ...(channel === undefined ? {} : { channel }) };
    const ask = () => signalling.request('recording.waveform', payload, call);
    return askUntilAnswered(this.#parts, ask, call);
  }

  async compose(recordingId: RecordingId, options?: CallOptions): Promise<RecordingView> {
    const { signalling, consultationId } = this.#parts;
    const ask = () => signalling.request('recording.compose', { consultationId, recordingId }, options);
    return (await askUntilAnswered(this.#parts, ask, options)).recording;
  }

  /** Once: nobody is to find it erased long after they gave up. */
  async erase(recordingId: RecordingId, options?: CallOptions): Promise<RecordingView> {
    const { signalling, consultationId } = this.#parts;
    const asking = signalling.request('recording.delete', { consultationId, recordingId }, options);
    return (await askOnce(this.#parts, asking, options)).recording;
  }
}
