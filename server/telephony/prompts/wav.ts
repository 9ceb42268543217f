/** WAV files as an operator records announcements: one channel, 8 kHz, A-law, µ-law or 16 bit. */
import { copySound, PCMA, PCMU, SAMPLE_RATE, toALaw } from '../rtp/g711.ts';

/** Wave formats (RFC 2361). */
const PCM = 1;
const A_LAW = 6;
const MU_LAW = 7;

/** The sound as A-law. @throws Error that says what is wrong with the file, not where it is */
export function aLawOfWav(file: Buffer): Uint8Array {
  if (
    file.length < 12 ||
    file.toString('latin1', 0, 4) !== 'RIFF' ||
    file.toString('latin1', 8, 12) !== 'WAVE'
  )
    throw new Error('it is not a WAV file');
  const format = chunk(file, 'fmt ');
  const data = chunk(file, 'data');
  if (format === null || format.length < 16 || data === null) throw new Error('it has no format or no sound');
  const kind = format.readUInt16LE(0);
  if (format.readUInt16LE(2) !== 1) throw new Error('it must have one channel');
  if (format.readUInt32LE(4) !== SAMPLE_RATE) throw new Error(`it must have ${SAMPLE_RATE} samples a second`);
  const bits = format.readUInt16LE(14);
  if (kind === PCM && bits === 16)
    return Uint8Array.from({ length: data.length >> 1 }, (_, sample) => toALaw(data.readInt16LE(2 * sample)));
  if ((kind === A_LAW || kind === MU_LAW) && bits === 8) {
    const sound = new Uint8Array(data.length);
    copySound(data, { from: kind === A_LAW ? PCMA : PCMU, to: PCMA, target: sound, at: 0 });
    return sound;
  }
  throw new Error('it must be A-law, µ-law or 16 bit PCM');
}

/** The first chunk of this name; cut short where the file is. */
function chunk(file: Buffer, name: string): Buffer | null {
  for (let at = 12; at + 8 <= file.length; ) {
    const length = file.readUInt32LE(at + 4);
    if (file.toString('latin1', at, at + 4) === name) return file.subarray(at + 8, at + 8 + length);
    // Chunks begin at even places.
    at += 8 + length + (length % 2);
  }
  return null;
}
