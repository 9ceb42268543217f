import type { AttachmentId } from '@teleconsult/protocol';

export type Variant = 'original' | 'thumbnail';
type Fetch = (attachmentId: AttachmentId, variant: Variant, signal: AbortSignal) => Promise<Blob>;

interface Held {
  readonly blob: Promise<Blob>;
  byteSize: number;
}

/** Thumbnails of a long thread take about 3 MB; originals of a few pictures must not push them all out. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;

/** The attachments of one visit seen lately. What was used longest ago is let go first. */
export class AttachmentBlobs {
  readonly #fetch: Fetch;
  readonly #maxBytes: number;
  readonly #held = new Map<string, Held>();
  readonly #closing = new AbortController();

  constructor(fetch: Fetch, maxBytes = MAX_HELD_BYTES) {
    this.#fetch = fetch;
    this.#maxBytes = maxBytes;
  }

  /** The bytes, fetched once however many ask. A failure is not kept: the next one to ask tries again. */
  async get(attachmentId: AttachmentId, variant: Variant): Promise<Blob> {
    const key = `${variant}:${attachmentId}`;
    const held = this.#held.get(key) ?? {
      blob: this.#fetch(attachmentId, variant, this.#closing.signal),
      byteSize: 0,
    };
    // Setting it again moves it to the end: a Map keeps the order of insertion.
    this.#held.delete(key);
    this.#held.set(key, held);
    try {
      const blob = await held.blob;
      held.byteSize = blob.size;
      this.#letGo();
      return blob;
    } catch (error) {
      if (this.#held.get(key) === held) this.#held.delete(key);
      throw error;
    }
  }

  close(): void {
    this.#closing.abort();
    this.#held.clear();
  }

  #letGo(): void {
    let total = 0;
    for (const { byteSize } of this.#held.values()) total += byteSize;
    for (const [key, { byteSize }] of this.#held) {
      if (total <= this.#maxBytes || this.#held.size === 1) return;
      this.#held.delete(key);
      total -= byteSize;
    }
  }
}
