import { PassThrough, pipeline, type Readable } from 'node:stream';
import type { KeyringNode } from '@aws-crypto/client-node';
import { encryptionSdk, SUITE_ID } from './encryption-sdk.ts';

export interface SealStreamOptions {
  /** Wraps the object's fresh data key. */
  readonly keyring: KeyringNode;
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** Bytes of plaintext in a frame: what a reader must fetch and check to see one byte. */
  readonly frameLength: number;
}

/**
 * Encrypts bytes as they arrive. The sealed bytes leave frame by frame; a frame is held until it is full or the
 * source has ended. An error of the source destroys the result with the same error, and destroying the result
 * destroys the source.
 */
export function sealStream(plaintext: AsyncIterable<Uint8Array>, options: SealStreamOptions): Readable {
  const { keyring, encryptionContext, frameLength } = options;
  const sealer = encryptionSdk.encryptStream(keyring, {
    suiteId: SUITE_ID,
    // The SDK freezes what it is given.
    encryptionContext: { ...encryptionContext },
    frameLength,
  });
  const sealed = new PassThrough();
  // Destroying the SDK's stream overwrites its data key; it does not do so by itself when it ends.
  pipeline(plaintext, chunksOf(frameLength), sealer, sealed, () => sealer.destroy());
  return sealed;
}

/** Regroups bytes into chunks of one length: the SDK waits a turn of the event loop for every chunk it is given. */
function chunksOf(length: number) {
  return async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
    let held: Uint8Array[] = [];
    let heldBytes = 0;
    for await (const chunk of source) {
      let rest = chunk;
      while (heldBytes + rest.byteLength >= length) {
        const taken = length - heldBytes;
        const part = rest.subarray(0, taken);
        // A chunk that is a frame already is not copied.
        yield held.length === 0
          ? Buffer.from(part.buffer, part.byteOffset, length)
          : Buffer.concat([...held, part], length);
        rest = rest.subarray(taken);
        held = [];
        heldBytes = 0;
      }
      if (rest.byteLength > 0) {
        held.push(rest);
        heldBytes += rest.byteLength;
      }
    }
    if (heldBytes > 0) yield Buffer.concat(held, heldBytes);
  };
}
