import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OpusHeader } from '../../media/recorder/opus-header.ts';

/** An element with a size of one byte. */
const element = (id: number[], ...data: (number[] | Buffer)[]): Buffer => {
  const body = Buffer.concat(data.map((one) => Buffer.from(one)));
  return Buffer.concat([Buffer.from(id), Buffer.from([0x80 | body.byteLength]), body]);
};
const EBML = element([0x1a, 0x45, 0xdf, 0xa3], [1, 2, 3]);
const SEGMENT = Buffer.from([0x18, 0x53, 0x80, 0x67, 0x01, 255, 255, 255, 255, 255, 255, 255]);
const SEEK_HEAD = element([0x11, 0x4d, 0x9b, 0x74], [7, 7]);
/** As ffmpeg writes it: with a size of eight bytes. */
const VOID = Buffer.concat([Buffer.from([0xec, 1, 0, 0, 0, 0, 0, 0, 104]), Buffer.alloc(104)]);
const INFO = element([0x15, 0x49, 0xa9, 0x66], [9]);
const CODEC = element([0x86], Buffer.from('A_OPUS'));
const tracks = (...fields: Buffer[]): Buffer => element([0x16, 0x54, 0xae, 0x6b], element([0xae], ...fields));
const CLUSTER = Buffer.from([0x1f, 0x43, 0xb6, 0x75, 0x84, 1, 2, 3, 4, 0x1f, 0x43]);
const HEAD = Buffer.from('OpusHead');

test('[RECD24] the file of an Opus track names its codec as players need it, in whatever pieces it comes', () => {
  const file = Buffer.concat([EBML, SEGMENT, SEEK_HEAD, VOID, INFO, tracks(CODEC), CLUSTER]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: file.byteLength })), (cuts) => {
      const header = new OpusHeader();
      const edges = [0, ...cuts.toSorted((one, other) => one - other), file.byteLength];
      const pieces = edges.slice(1).map((edge, index) => header.push(file.subarray(edges[index], edge)));
      const written = Buffer.concat([...pieces, header.end()]);
      const at = written.indexOf(HEAD);
      expect(at).toBeGreaterThan(0);
      expect(written.indexOf(HEAD, at + 1)).toBe(-1);
      // CodecPrivate with 19 bytes in front of it, in four bytes of size.
      expect([...written.subarray(at - 6, at)]).toEqual([0x63, 0xa2, 0x10, 0, 0, 19]);
      expect(written.subarray(0, EBML.byteLength + SEGMENT.byteLength)).toEqual(
        Buffer.concat([EBML, SEGMENT]),
      );
      // The index of positions is gone with the positions, and the sound is as it was.
      expect(written.includes(SEEK_HEAD)).toBe(false);
      expect(written.subarray(-CLUSTER.byteLength)).toEqual(CLUSTER);
    }),
  );
});

test('[RECD24] a file that names its codec already, or is none, goes by as it is', () => {
  const named = Buffer.concat([EBML, SEGMENT, INFO, tracks(CODEC, element([0x63, 0xa2], HEAD)), CLUSTER]);
  const header = new OpusHeader();
  const written = Buffer.concat([header.push(named), header.end()]);
  expect(written.indexOf(HEAD)).toBe(written.lastIndexOf(HEAD));
  expect(written.subarray(-CLUSTER.byteLength)).toEqual(CLUSTER);

  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const any = new OpusHeader();
      const file = Buffer.concat([Buffer.from([0]), bytes]);
      expect(Buffer.concat([any.push(file), any.end()])).toEqual(file);
    }),
  );
  const endless = new OpusHeader();
  const much = Buffer.alloc(70_000);
  expect(endless.push(much)).toEqual(much);
});
