import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { memorySource } from '../storage/objects/memory-source.ts';
import type { KeyProvider } from './key-provider.ts';
import { sealStream } from './seal-stream.ts';
import { readLabel } from './sealed-label.ts';
import { openSealedObject } from './sealed-object.ts';

/** More than a consultation's key or a person's record has; what is larger is no such thing. */
const MAX_BYTES = 64 * 1024;

/**
 * Seals a small value anew under the provider's current key: a fresh data key, and the same context and frame length.
 * The header is never written again under the old data key: two of its tags under one nonce would give away the key
 * that forges more (docs/VAULT-FORMAT.md).
 *
 * The context is the one in the header, and it is proven by the opening. So a value that somebody has moved to another
 * row stays what it was, and is refused there after this as it was before.
 * @throws AppError INTEGRITY when it does not open; STORAGE_UNAVAILABLE when the key service cannot be asked just now
 */
export async function rewrap(keys: KeyProvider, sealed: Uint8Array): Promise<Uint8Array> {
  const label = readLabel(sealed);
  if (label === null || sealed.byteLength > MAX_BYTES) throw new TypeError('Not a small sealed value.');
  const { context: encryptionContext, frameLength } = label;
  const plain = await openWhole(keys, sealed, encryptionContext);
  try {
    const anew = Uint8Array.from(
      await buffer(
        sealStream(Readable.from([plain], { objectMode: false }), {
          keyring: keys.wrapping,
          encryptionContext,
          frameLength,
        }),
      ),
    );
    // What replaces the only copy of a key is opened before it does.
    const again = await openWhole(keys, anew, encryptionContext);
    const same = again.equals(plain);
    again.fill(0);
    if (!same) throw new Error('What was sealed anew opens as something else.');
    return anew;
  } finally {
    plain.fill(0);
  }
}

async function openWhole(
  keys: KeyProvider,
  sealed: Uint8Array,
  encryptionContext: Readonly<Record<string, string>>,
): Promise<Buffer> {
  const object = await openSealedObject(memorySource(sealed), {
    keyring: keys.unwrapping,
    encryptionContext,
  });
  return buffer(object.read());
}
