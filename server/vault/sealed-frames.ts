import { aadFactory, ContentType, decodeBodyHeader } from '@aws-crypto/serialize';
import { AppError } from '@teleconsult/protocol';
import type { OpenedHeader } from './sealed-header.ts';

const NUMBER_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const LENGTH_BYTES = 4;
/** A frame is its number, its nonce, the ciphertext and the tag. */
export const FRAME_OVERHEAD = NUMBER_BYTES + NONCE_BYTES + TAG_BYTES;
/** The last frame also has a mark before and the length of its content behind the nonce. */
export const LAST_FRAME_OVERHEAD = FRAME_OVERHEAD + NUMBER_BYTES + LENGTH_BYTES;

const { messageAAD, messageAADContentString } = aadFactory((text) => Buffer.from(text, 'utf8'));

/** The frames of one object: where they lie, and how to decrypt one. They are counted from 0. */
export interface SealedFrames {
  readonly frameLength: number;
  readonly count: number;
  /** Bytes of plaintext in all frames. */
  readonly byteSize: number;
  /** Where a frame lies in the sealed object. */
  placeOf(index: number): { start: number; endExclusive: number };
  /**
   * The plaintext of a frame.
   * @throws AppError INTEGRITY when it is not exactly this frame of this object
   */
  decrypt(index: number, sealed: Buffer): Buffer;
}

/**
 * All frames but the last have one length, so every place follows from the object's size.
 * @throws AppError INTEGRITY when no whole number of frames has this size
 */
export function openFrames(sealedByteSize: number, header: OpenedHeader): SealedFrames {
  const { info, bodyStart } = header;
  const { frameLength } = info.messageHeader;
  const stride = frameLength + FRAME_OVERHEAD;
  const body = sealedByteSize - bodyStart - LAST_FRAME_OVERHEAD;
  const last = Math.floor(body / stride);
  const lastLength = body - last * stride;
  if (body < 0 || lastLength > frameLength)
    throw new AppError('INTEGRITY', { cause: new Error('No number of frames has this length.') });

  const placeOf = (index: number) => {
    const start = bodyStart + index * stride;
    return { start, endExclusive: index === last ? sealedByteSize : start + stride };
  };

  return {
    frameLength,
    count: last + 1,
    byteSize: last * frameLength + lastLength,
    placeOf,
    decrypt: (index, sealed) => {
      const isLast = index === last;
      return decryptFrame(header, { index, isLast, length: isLast ? lastLength : frameLength }, sealed);
    },
  };
}

/**
 * The plaintext of one frame, counted from 0.
 * @param sealed from the frame's beginning to the end of its tag
 * @throws AppError INTEGRITY when it is not exactly this frame of this object
 */
export function decryptFrame(
  { info, getDecipher }: OpenedHeader,
  expected: { readonly index: number; readonly isLast: boolean; readonly length: number },
  sealed: Buffer,
): Buffer {
  const { index, isLast, length } = expected;
  try {
    const frame = decodeBodyHeader(sealed, info, 0);
    if (
      frame === false ||
      frame.sequenceNumber !== index + 1 ||
      frame.isFinalFrame !== isLast ||
      frame.contentLength !== length ||
      sealed.byteLength !== frame.readPos + length + TAG_BYTES
    )
      throw new Error('This is another frame.');
    const decipher = getDecipher(frame.iv);
    const kind = messageAADContentString({ contentType: ContentType.FRAMED_DATA, isFinalFrame: isLast });
    const { messageId } = info.messageHeader;
    decipher.setAAD(Buffer.from(messageAAD(messageId, kind, index + 1, length)));
    decipher.setAuthTag(sealed.subarray(frame.readPos + length));
    const plain = decipher.update(sealed.subarray(frame.readPos, frame.readPos + length));
    // Throws when the tag does not match; only then is the plaintext handed out.
    decipher.final();
    return plain;
  } catch (error) {
    throw new AppError('INTEGRITY', { cause: error });
  }
}
