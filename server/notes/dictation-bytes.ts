import { AppError } from '@teleconsult/protocol';

const WEBM = Buffer.from([0x1a, 0x45, 0xdf, 0xa3]);
const OGG = Buffer.from('OggS');
const MP4 = Buffer.from('ftyp');
/** Where an MP4 file names itself: behind the length of its first box. */
const MP4_NAME_AT = 4;

/** Whether bytes begin as a file of this type does. */
export function beginsAs(contentType: string, bytes: Uint8Array): boolean {
  const startsWith = (mark: Buffer, at = 0): boolean =>
    bytes.byteLength >= at + mark.byteLength && mark.equals(bytes.subarray(at, at + mark.byteLength));
  if (contentType.startsWith('audio/webm')) return startsWith(WEBM);
  if (contentType.startsWith('audio/ogg')) return startsWith(OGG);
  return contentType.startsWith('audio/mp4') && startsWith(MP4, MP4_NAME_AT);
}

/** The bytes of a request, at most so many. @throws AppError TOO_LARGE, INVALID when there are none or not all came */
export async function collectBytes(body: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let byteSize = 0;
  try {
    for await (const chunk of body) {
      byteSize += chunk.byteLength;
      // Read on all the same: who is still sending may never see an answer.
      if (byteSize <= limit) chunks.push(chunk);
    }
  } catch (cause) {
    // The device is gone, or was too slow. Nothing of what came is kept, and nothing is wrong here.
    throw new AppError('INVALID', { detail: 'the bytes were cut off', cause });
  }
  if (byteSize > limit) throw new AppError('TOO_LARGE', { detail: `at most ${limit} bytes at once` });
  if (byteSize === 0) throw new AppError('INVALID', { detail: 'there are no bytes' });
  return Buffer.concat(chunks, byteSize);
}
