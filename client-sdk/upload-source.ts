/** What tus-js-client asks of a source of bytes. */
interface Source {
  readonly size: number;
  slice(start: number, end: number): Promise<{ value: Blob | Sized; done: boolean }>;
  close(): void;
}

/** tus-js-client reads `size` of whatever it sends. */
type Sized = Uint8Array<ArrayBuffer> & { readonly size: number };

/**
 * Reads a Blob chunk by chunk. tus-js-client has this for browsers only; in Node it takes buffers, which would hold
 * the whole file in memory.
 */
export const blobReader = {
  openFile(blob: Blob): Promise<Source> {
    return Promise.resolve({
      size: blob.size,
      slice: async (start, end) => {
        const part = blob.slice(start, end);
        return { value: sendsBlobs() ? part : await bytesOf(part), done: end >= blob.size };
      },
      close: () => {},
    });
  },
};

/** In browsers tus-js-client sends with XMLHttpRequest, which takes Blobs. */
function sendsBlobs(): boolean {
  return typeof XMLHttpRequest === 'function';
}

async function bytesOf(part: Blob): Promise<Sized> {
  const bytes = new Uint8Array(await part.arrayBuffer());
  return Object.assign(bytes, { size: bytes.byteLength });
}
