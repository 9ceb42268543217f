/**
 * Bytes in parts of one length, of which only the last is shorter; what divides evenly ends without a shorter one.
 * No bytes at all are one empty part. One part at a time is held.
 */
export async function* fixedParts(
  bytes: AsyncIterable<Uint8Array>,
  partBytes: number,
): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let isFirst = true;
  for await (const chunk of bytes) {
    for (let rest = chunk; rest.byteLength > 0; ) {
      const piece = rest.subarray(0, partBytes - heldBytes);
      rest = rest.subarray(piece.byteLength);
      held.push(piece);
      heldBytes += piece.byteLength;
      if (heldBytes < partBytes) continue;
      const part = Buffer.concat(held, heldBytes);
      held = [];
      heldBytes = 0;
      isFirst = false;
      yield part;
    }
  }
  if (heldBytes > 0 || isFirst) yield Buffer.concat(held, heldBytes);
}
