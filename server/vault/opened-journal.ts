import { AppError } from '@teleconsult/protocol';
import type { RandomAccessSource } from '../storage/objects/object-store.ts';
import type { ConsultationKey } from './consultation-key.ts';
import { flatten, type ObjectContext } from './encryption-context.ts';
import { JOURNAL_FRAME_LENGTH, JOURNAL_FRAME_ROOM, LENGTH_BYTES } from './journal-format.ts';
import { decryptFrame, FRAME_OVERHEAD, LAST_FRAME_OVERHEAD } from './sealed-frames.ts';
import { type OpenedHeader, openHeader } from './sealed-header.ts';
import type { ByteRange } from './sealed-object.ts';

const STRIDE = JOURNAL_FRAME_LENGTH + FRAME_OVERHEAD;
/** Frames read at a time. */
const TOGETHER = 64;

/** What of a journal authenticates, in order. It needs its source open. */
export interface OpenedJournal {
  /** Bytes of plaintext. */
  readonly byteSize: number;
  /** It was closed: what is here is all that was appended. */
  readonly whole: boolean;
  /**
   * The plaintext, or a part of it. Every frame is checked before a byte of it is handed on.
   * @throws RangeError when the range does not lie in the journal
   */
  read(range?: ByteRange): AsyncGenerator<Uint8Array>;
}

/**
 * Opens a journal, also one that was cut: every whole frame up to the first that does not authenticate.
 * @throws AppError INTEGRITY when its header is not that of this object under this key
 */
export async function openSealedJournal(
  source: RandomAccessSource,
  { key, context }: { readonly key: ConsultationKey; readonly context: ObjectContext },
): Promise<OpenedJournal> {
  const header = await openHeader(source, {
    keyring: key.objectKeyring,
    encryptionContext: flatten(context),
  });
  if (header.info.messageHeader.frameLength !== JOURNAL_FRAME_LENGTH)
    throw new AppError('INTEGRITY', { cause: new Error('This is no journal.') });
  // Where the content of each frame begins in the plaintext, and behind them where the last ends.
  const offsets = [0];
  let end = 0;
  for await (const content of wholeFrames(source, header)) offsets.push((end += content.byteLength));
  const frames = offsets.length - 1;
  const whole = await endsProperly(source, header, frames);
  return {
    byteSize: end,
    whole,
    async *read({ start, endExclusive } = { start: 0, endExclusive: end }) {
      if (!(start >= 0 && start <= endExclusive && endExclusive <= end))
        throw new RangeError('The range does not lie in the journal.');
      if (start === endExclusive) return;
      let index = frameAt(offsets, start);
      for await (const content of wholeFrames(source, header, index)) {
        const offset = offsets[index] ?? end;
        if (offset >= endExclusive) return;
        index += 1;
        yield content.subarray(Math.max(0, start - offset), endExclusive - offset);
        if (index === frames) break;
      }
      // What could be read when it was opened and cannot be any more was changed meanwhile.
      if ((offsets[index] ?? end) < endExclusive) throw new AppError('INTEGRITY');
    },
  };
}

async function* wholeFrames(
  source: RandomAccessSource,
  header: OpenedHeader,
  from = 0,
): AsyncGenerator<Buffer> {
  const count = Math.floor((source.byteSize - header.bodyStart) / STRIDE);
  for (let first = from; first < count; first += TOGETHER) {
    const behind = Math.min(first + TOGETHER, count);
    const start = header.bodyStart + first * STRIDE;
    const bytes = await source.read(start, header.bodyStart + behind * STRIDE);
    for (let index = first; index < behind; index += 1) {
      const sealed = bytes.subarray((index - first) * STRIDE, (index - first + 1) * STRIDE);
      const content = contentOf(header, index, sealed);
      if (content === null) return;
      yield content;
    }
  }
}

function contentOf(header: OpenedHeader, index: number, sealed: Buffer): Buffer | null {
  try {
    const plain = decryptFrame(header, { index, isLast: false, length: JOURNAL_FRAME_LENGTH }, sealed);
    const length = plain.readUInt16BE();
    return length > JOURNAL_FRAME_ROOM ? null : plain.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
  } catch (error) {
    if (error instanceof AppError && error.code === 'INTEGRITY') return null;
    throw error;
  }
}

async function endsProperly(
  source: RandomAccessSource,
  header: OpenedHeader,
  frames: number,
): Promise<boolean> {
  const start = header.bodyStart + frames * STRIDE;
  if (source.byteSize !== start + LAST_FRAME_OVERHEAD) return false;
  try {
    const sealed = await source.read(start, source.byteSize);
    decryptFrame(header, { index: frames, isLast: true, length: 0 }, sealed);
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === 'INTEGRITY') return false;
    throw error;
  }
}

/** The frame that holds the byte at this place, by halving. */
function frameAt(offsets: readonly number[], place: number): number {
  let low = 0;
  let high = offsets.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((offsets[middle] ?? 0) <= place) low = middle;
    else high = middle;
  }
  return low;
}
