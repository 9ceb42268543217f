/** Quiet enough for an open-plan ward; the dialog and the title say it, too. */
const GAIN = 0.05;
const PERIOD_MS = 3000;
/** While the person is in another call: one short note, seldom, and no vibration. */
const WAITING_GAIN = 0.02;
const WAITING_PERIOD_MS = 6000;
const NOTES = [
  { frequency: 587.33, startS: 0 },
  { frequency: 739.99, startS: 0.22 },
  { frequency: 880, startS: 0.44 },
] as const;
const NOTE_S = 0.36;

/** A soft three-note ring, with vibration on phones. Without a gesture before, browsers keep it silent. */
export class RingTone {
  #context: AudioContext | null = null;
  #isWaiting = false;
  #timer: ReturnType<typeof setInterval> | null = null;

  /** `isWaiting`: beside a call that goes on. Asked again with another answer, it changes over. */
  start({ isWaiting = false } = {}): void {
    if (this.#timer !== null && this.#isWaiting === isWaiting) return;
    this.stop();
    this.#isWaiting = isWaiting;
    this.#context = new AudioContext();
    this.#ring();
    this.#timer = setInterval(() => this.#ring(), isWaiting ? WAITING_PERIOD_MS : PERIOD_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    void this.#context?.close().catch(() => undefined);
    this.#context = null;
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(0);
  }

  #ring(): void {
    if (!this.#isWaiting && navigator.userActivation?.hasBeenActive) navigator.vibrate?.([300, 150, 300]);
    const context = this.#context;
    if (context === null) return;
    if (context.state === 'suspended') {
      void context.resume().catch(() => undefined);
      if (!navigator.userActivation?.hasBeenActive) return;
    }
    const notes = this.#isWaiting ? NOTES.slice(-1) : NOTES;
    const gain = this.#isWaiting ? WAITING_GAIN : GAIN;
    for (const { frequency, startS } of notes)
      playNote(context, { frequency, gain, at: context.currentTime + startS });
  }
}

interface Note {
  readonly frequency: number;
  readonly gain: number;
  readonly at: number;
}

export function playNote(context: AudioContext, { frequency, gain, at }: Note): void {
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = frequency;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(gain, at + 0.03);
  volume.gain.exponentialRampToValueAtTime(0.0001, at + NOTE_S);
  tone.connect(volume).connect(context.destination);
  tone.start(at);
  tone.stop(at + NOTE_S);
}
