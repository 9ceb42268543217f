import { PassThrough, pipeline, type Readable } from 'node:stream';
import { beginMessage, type SealingOptions } from './message-sealer.ts';

export type SealStreamOptions = SealingOptions;

/**
 * Encrypts bytes as they arrive. The sealed bytes leave frame by frame; a frame is held until it is full or the
 * source has ended. An error of the source destroys the result with the same error, and destroying the result
 * destroys the source.
 *
 * The SDK has a stream of its own, which ends the process when it is destroyed half-way: as every upload that is
 * given up would do (docs/decisions/010-vault.md). So the SDK's parts are put together here.
 */
export function sealStream(plaintext: AsyncIterable<Uint8Array>, options: SealStreamOptions): Readable {
  // What goes wrong reaches the caller by way of the stream that is returned.
  return pipeline(plaintext, sealer(options), new PassThrough(), () => undefined);
}

function sealer(options: SealStreamOptions) {
  return async function* (plaintext: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
    const message = await beginMessage(options);
    try {
      yield message.header;
      let last: Buffer = Buffer.alloc(0);
      for await (const chunk of chunksOf(options.frameLength, plaintext)) {
        if (chunk.byteLength < options.frameLength) last = chunk;
        else yield message.frame(chunk, { isLast: false });
      }
      // There is always a last frame, if need be an empty one: without it a cut object could not be told from a whole.
      yield message.frame(last, { isLast: true });
    } finally {
      message.dispose();
    }
  };
}

/** Regroups bytes into chunks of one length; only the last may be shorter. */
async function* chunksOf(length: number, source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const chunk of source) {
    let rest = chunk;
    while (heldBytes + rest.byteLength >= length) {
      const part = rest.subarray(0, length - heldBytes);
      rest = rest.subarray(part.byteLength);
      // What is a whole chunk already is not copied.
      yield held.length === 0
        ? Buffer.from(part.buffer, part.byteOffset, length)
        : Buffer.concat([...held, part]);
      held = [];
      heldBytes = 0;
    }
    if (rest.byteLength > 0) {
      held.push(rest);
      heldBytes += rest.byteLength;
    }
  }
  if (heldBytes > 0) yield Buffer.concat(held);
}
