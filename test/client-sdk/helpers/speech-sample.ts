/** Something that a browser takes for a voice: vowels of a male speaker, by turns loud and quiet, at 48 kHz. */
const SAMPLE_RATE = 48_000;
const PITCH_HZ = 120;
const SYLLABLE_SECONDS = 0.22;
/** Formants of the vowels a, e, i, o, u in hertz (Peterson and Barney 1952). */
const VOWELS = [
  [730, 1090, 2440],
  [530, 1840, 2480],
  [270, 2290, 3010],
  [570, 840, 2410],
  [300, 870, 2240],
] as const;

/** A WAV file of seconds of speech and then of silence. */
export function speechFile(seconds: number, silentSeconds = 0): Buffer {
  const samples = new Int16Array((seconds + silentSeconds) * SAMPLE_RATE);
  const state = VOWELS[0].map(() => ({ before: 0, last: 0 }));
  let phase = 0;
  for (let index = 0; index < seconds * SAMPLE_RATE; index += 1) {
    const at = index / SAMPLE_RATE;
    const syllable = Math.floor(at / SYLLABLE_SECONDS);
    const within = (at / SYLLABLE_SECONDS) % 1;
    phase += (PITCH_HZ * (1 + 0.15 * Math.sin(at * 5))) / SAMPLE_RATE;
    const pulse = phase >= 1 ? 1 : 0;
    phase %= 1;
    const formants = VOWELS[syllable % VOWELS.length] ?? VOWELS[0];
    let voice = 0;
    for (const [number, formant] of formants.entries()) {
      const one = state[number] ?? { before: 0, last: 0 };
      const radius = Math.exp((-Math.PI * 80) / SAMPLE_RATE);
      const next =
        pulse +
        2 * radius * Math.cos((2 * Math.PI * formant) / SAMPLE_RATE) * one.last -
        radius ** 2 * one.before;
      one.before = one.last;
      one.last = next;
      voice += next / (number + 1);
    }
    samples[index] = Math.max(-32_000, Math.min(32_000, voice * 900 * Math.sin(Math.PI * within)));
  }
  const data = Buffer.from(samples.buffer);
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + data.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(SAMPLE_RATE, 24);
  header.writeUInt32LE(SAMPLE_RATE * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}
