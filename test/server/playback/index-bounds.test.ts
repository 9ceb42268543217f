import { makeSeekIndex } from '@teleconsult/server/playback/seek-index';
import { element, ID, longHead, unsigned } from '@teleconsult/server/webm/elements';
import { WebmScanner } from '@teleconsult/server/webm/scanner';
import { expect, test } from 'vitest';

/** A file of one block with so much beside what is needed in its header and its tracks. */
function padded(byteSize: number): Buffer {
  const padding = element(0xec, Buffer.alloc(byteSize));
  const track = element(
    ID.trackEntry,
    element(ID.trackNumber, unsigned(1, 1)),
    element(ID.trackType, unsigned(2, 1)),
  );
  const block = element(ID.simpleBlock, Buffer.from([0x81, 0, 0, 0x80, 1, 2, 3]));
  return Buffer.concat([
    element(ID.ebml, padding),
    longHead(ID.segment, null),
    element(ID.tracks, track, padding),
    element(ID.cluster, element(ID.timestamp, unsigned(0, 1)), block),
  ]);
}

test('[PLAY16] an index has a bounded size, whatever a file has in its headers', () => {
  for (const [byteSize, isIndexed] of [
    [1_000, true],
    [4_000_000, false],
  ] as const) {
    const scanner = new WebmScanner();
    const bytes = padded(byteSize);
    for (let at = 0; at < bytes.byteLength; at += 65_536) scanner.push(bytes.subarray(at, at + 65_536));
    const found = scanner.result();
    expect(found !== null).toBe(isIndexed);
    if (found !== null) expect(makeSeekIndex(found).head.length).toBeLessThan(200_000);
  }
});
