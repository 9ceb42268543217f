/** A-law in a WAV file, which is how the daemon takes sound to be played. */
const HEADER_BYTES = 46;
const FORMAT_A_LAW = 6;
const RATE = 8_000;

export function wavOf(sound: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(HEADER_BYTES - 8 + sound.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(18, 16);
  header.writeUInt16LE(FORMAT_A_LAW, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(RATE, 24);
  header.writeUInt32LE(RATE, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.writeUInt16LE(0, 36);
  header.write('data', 38, 'latin1');
  header.writeUInt32LE(sound.length, 42);
  return Buffer.concat([header, sound]);
}
