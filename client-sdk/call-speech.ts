import type { LevelMeter } from './device-level.ts';
import type { Lifetime } from './lifetime.ts';

/** How loud it has to be over the room's own noise, on the meter's scale: 0.2 are 12 dB. */
const ABOVE_NOISE = 0.2;
/** Quieter than this is never speech into a microphone (−39 dB of full scale). */
const LEAST_LEVEL = 0.35;
/** A syllable is not enough, and neither is a door. */
const SPEECH_MS = 400;
/** Between words people pause for less than this. */
const PAUSE_MS = 300;
/** A hint more often than this is a nuisance. */
const HINT_EVERY_MS = 10_000;
/** The noise floor falls at once and rises slowly: by this share of the difference with each look. */
const FLOOR_RISE = 0.01;
const LOOK_EVERY_MS = 100;

/** Tells speech from the noise of a room by its loudness. Pure: it is told the level and the time of each look. */
export class SpeechDetector {
  #floor: number | null = null;
  #speakingSince: number | null = null;
  #lastLoudAt = 0;
  #hintedAt: number | null = null;

  /** True once when somebody has begun to speak; then not again for ten seconds. */
  observe(level: number, now: number): boolean {
    this.#floor ??= level;
    this.#floor = level < this.#floor ? level : this.#floor + (level - this.#floor) * FLOOR_RISE;
    if (level >= LEAST_LEVEL && level - this.#floor >= ABOVE_NOISE) {
      this.#speakingSince ??= now;
      this.#lastLoudAt = now;
    } else if (now - this.#lastLoudAt > PAUSE_MS) this.#speakingSince = null;
    if (this.#speakingSince === null || this.#lastLoudAt - this.#speakingSince < SPEECH_MS) return false;
    if (this.#hintedAt !== null && now - this.#hintedAt < HINT_EVERY_MS) return false;
    this.#hintedAt = now;
    this.#speakingSince = null;
    return true;
  }
}

export interface MutedSpeechOptions {
  readonly life: Lifetime;
  readonly openMeter: (track: MediaStreamTrack) => LevelMeter | null;
  readonly onSpeech: () => void;
}

/**
 * Listens to a clone of the muted microphone, on this device alone: it is on no transport and is never recorded. The
 * clone is stopped when the microphone is switched on, and with the call.
 */
export class MutedSpeech {
  readonly #options: MutedSpeechOptions;
  readonly #detector = new SpeechDetector();
  #microphone: MediaStreamTrack | null = null;
  #stop: () => void = () => {};

  constructor(options: MutedSpeechOptions) {
    this.#options = options;
    options.life.onEnd(() => this.listenTo(null));
  }

  /** The muted microphone; null while it is on, or there is none. */
  listenTo(microphone: MediaStreamTrack | null): void {
    const wanted = this.#options.life.over ? null : microphone;
    if (wanted === this.#microphone) return;
    this.#stop();
    this.#stop = () => {};
    this.#microphone = wanted;
    if (wanted !== null) this.#listen(wanted);
  }

  #listen(microphone: MediaStreamTrack): void {
    const clone = microphone.clone();
    clone.enabled = true;
    const meter = this.#options.openMeter(clone);
    if (meter === null) {
      clone.stop();
      return;
    }
    const timer = setInterval(() => {
      if (this.#detector.observe(meter.read(), performance.now())) this.#options.onSpeech();
    }, LOOK_EVERY_MS);
    this.#stop = () => {
      clearInterval(timer);
      meter.close();
      clone.stop();
    };
  }
}
