/** So many bytes tell what kind of sound a file is. */
export const SOUND_BEGINNING = 12;

/**
 * What providers record in, told by its first bytes: what they call it may be anything, and what they answer instead of it
 * (a page that says no) is no sound. null: none of these.
 */
export function soundTypeOf(first: Uint8Array): 'audio/wav' | 'audio/mpeg' | null {
  if (first.byteLength < SOUND_BEGINNING) return null;
  const text = Buffer.from(first.buffer, first.byteOffset, SOUND_BEGINNING).toString('latin1');
  if (text.startsWith('RIFF') && text.endsWith('WAVE')) return 'audio/wav';
  if (text.startsWith('ID3')) return 'audio/mpeg';
  return isMpegFrame(first) ? 'audio/mpeg' : null;
}

/** ISO/IEC 11172-3, 2.4.1.3: eleven bits of ones, a version and a layer that exist, a bit rate and a rate that exist. */
function isMpegFrame([sync = 0, kind = 0, rates = 0]: Uint8Array): boolean {
  const hasSync = sync === 0xff && (kind & 0xe0) === 0xe0;
  const hasKind = (kind & 0x18) !== 0x08 && (kind & 0x06) === 0x02;
  return hasSync && hasKind && (rates & 0xf0) !== 0xf0 && (rates & 0xf0) !== 0 && (rates & 0x0c) !== 0x0c;
}
