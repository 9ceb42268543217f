import { AppError } from '@teleconsult/protocol/errors';
import type { Lifetime } from './lifetime.ts';

const TONE_SECONDS = 0.8;
/** An octave up: everybody knows when it is over, and old ears hear it. */
const FROM_HZ = 440;
const TO_HZ = 880;
/** −14 dB: clearly heard, and no fright by headphones. */
const LOUDNESS = 0.2;
/** Begins and ends without a click. */
const FADE_SECONDS = 0.05;

/** Plays a short rising tone. Rejects with `UNSUPPORTED_BROWSER` without Web Audio; stops when the life ends. */
export async function playTone(life: Lifetime, signal: AbortSignal | undefined): Promise<void> {
  if (typeof AudioContext !== 'function')
    throw new AppError('UNSUPPORTED_BROWSER', { detail: 'no Web Audio' });
  const context = new AudioContext();
  try {
    await life.within(context.resume(), signal);
    const begin = context.currentTime;
    const end = begin + TONE_SECONDS;
    const gain = context.createGain();
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(LOUDNESS, begin + FADE_SECONDS);
    gain.gain.setValueAtTime(LOUDNESS, end - FADE_SECONDS);
    gain.gain.linearRampToValueAtTime(0, end);
    const tone = context.createOscillator();
    tone.frequency.setValueAtTime(FROM_HZ, begin);
    tone.frequency.exponentialRampToValueAtTime(TO_HZ, end);
    tone.connect(gain).connect(context.destination);
    const over = Promise.withResolvers<void>();
    tone.addEventListener('ended', () => over.resolve());
    tone.start(begin);
    tone.stop(end);
    await life.within(over.promise, signal);
  } finally {
    await context.close().catch(() => {});
  }
}
