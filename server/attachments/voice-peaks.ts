/** Milliseconds of sound behind one kept value: ten minutes are 60,000 values, however fine the samples are. */
const WINDOW_MS = 10;

/** Measures sound as it passes by, without keeping it. */
export interface PeakMeter {
  /** Takes the next bytes: samples of 16 bits, signed, little endian, one channel. They may be cut anywhere. */
  push(bytes: Buffer): void;
  /** What passed by, in milliseconds. */
  durationMs(): number;
  /** The loudest sample of each of `count` equal parts, 0 (silence) to 100 (full scale). */
  peaks(count: number): number[];
}

/** @param sampleRate samples a second */
export function createPeakMeter(sampleRate: number): PeakMeter {
  const windowSamples = (sampleRate * WINDOW_MS) / 1000;
  const windows: number[] = [];
  let samples = 0;
  let loudest = 0;
  /** The first half of a sample whose second half is still to come. */
  let half: Buffer = Buffer.alloc(0);

  const push = (bytes: Buffer): void => {
    const joined = half.byteLength === 0 ? bytes : Buffer.concat([half, bytes]);
    const whole = joined.byteLength - (joined.byteLength % 2);
    for (let at = 0; at < whole; at += 2) {
      loudest = Math.max(loudest, Math.abs(joined.readInt16LE(at)));
      samples += 1;
      if (samples % windowSamples === 0) {
        windows.push(loudest);
        loudest = 0;
      }
    }
    half = joined.subarray(whole);
  };

  const peaks = (count: number): number[] => {
    const all = samples % windowSamples === 0 ? windows : [...windows, loudest];
    return Array.from({ length: count }, (_, index) => {
      const from = Math.floor((index * all.length) / count);
      const behind = Math.max(from + 1, Math.floor(((index + 1) * all.length) / count));
      const loudestOfPart = all.slice(from, behind).reduce((most, value) => Math.max(most, value), 0);
      return Math.min(100, Math.round((loudestOfPart / 32_767) * 100));
    });
  };

  return { push, durationMs: () => Math.round((samples * 1000) / sampleRate), peaks };
}
