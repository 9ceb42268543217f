/** What WAV files begin with (Microsoft, Multimedia Programming Interface and Data Specifications 1.0; RFC 2361). */
import { momentBytes, type SampleFormat, wholeBytes } from '../recordings/sample-format.ts';
import type { SeekIndex } from './seek-index.ts';

/** WAVE_FORMAT_PCM, _ALAW, _MULAW. */
export const FORMAT_TAGS = { pcm: 1, alaw: 6, mulaw: 7 } as const;

/** A size that fits its field, with everything before it. */
const MOST_BYTES = 0xffff_ffff - 1_024;

/** The beginning of a WAV file of so many bytes of samples, which follow. */
export function waveHead(format: SampleFormat, byteSize: number): Buffer {
  if (!(byteSize >= 0 && byteSize <= MOST_BYTES)) throw new RangeError('The sound does not fit a WAV file.');
  const { encoding, channels, rate } = format;
  const moment = momentBytes(format);
  const isPcm = encoding === 'pcm';
  const kind = Buffer.alloc(isPcm ? 16 : 18);
  kind.writeUInt16LE(FORMAT_TAGS[encoding], 0);
  kind.writeUInt16LE(channels, 2);
  kind.writeUInt32LE(rate, 4);
  kind.writeUInt32LE(rate * moment, 8);
  kind.writeUInt16LE(moment, 12);
  kind.writeUInt16LE((moment / channels) * 8, 14);
  // Whatever is not PCM says how many moments there are.
  const fact = isPcm ? Buffer.alloc(0) : chunk('fact', 4, uint32(byteSize / moment));
  const inside = [Buffer.from('WAVE', 'latin1'), chunk('fmt ', kind.byteLength, kind), fact];
  const before = inside.reduce((sum, part) => sum + part.byteLength, 0);
  return Buffer.concat([chunk('RIFF', before + CHUNK_HEAD + byteSize, ...inside), chunk('data', byteSize)]);
}

/**
 * How samples that lie in a stored file are served as a WAV file. Of a file that was cut, what is left of its last moment
 * is left out, and so is a last odd byte: chunks have an even length.
 */
export function waveIndex(format: SampleFormat, from: number, end: number): SeekIndex {
  const byteSize = wholeBytes(format, Math.max(0, end - from));
  const even = byteSize - (byteSize % 2);
  return {
    head: waveHead(format, even).toString('base64'),
    keptStart: from,
    keptEnd: from + even,
    patch: null,
  };
}

const CHUNK_HEAD = 8;

const chunk = (name: string, byteSize: number, ...content: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from(name, 'latin1'), uint32(byteSize), ...content]);

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
