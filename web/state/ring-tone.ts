/** Quiet enough for an open-plan ward; the dialog and the title say it, too. */
const GAIN = 0.05;
const PERIOD_MS = 3000;
const NOTES = [
  { frequency: 587.33, startS: 0 },
  { frequency: 739.99, startS: 0.22 },
  { frequency: 880, startS: 0.44 },
] as const;
const NOTE_S = 0.36;

/** A soft three-note ring, with vibration on phones. Without a gesture before, browsers keep it silent. */
export class RingTone {
  #context: AudioContext | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;

  start(): void {
    if (this.#timer !== null) return;
    this.#context = new AudioContext();
    this.#ring();
    this.#timer = setInterval(() => this.#ring(), PERIOD_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    void this.#context?.close().catch(() => undefined);
    this.#context = null;
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(0);
  }

  #ring(): void {
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.([300, 150, 300]);
    const context = this.#context;
    if (context === null) return;
    if (context.state === 'suspended') {
      void context.resume().catch(() => undefined);
      if (!navigator.userActivation?.hasBeenActive) return;
    }
    for (const { frequency, startS } of NOTES) playNote(context, frequency, context.currentTime + startS);
  }
}

function playNote(context: AudioContext, frequency: number, at: number): void {
  const tone = context.createOscillator();
  const gain = context.createGain();
  tone.frequency.value = frequency;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(GAIN, at + 0.03);
  gain.gain.exponentialRampToValueAtTime(0.0001, at + NOTE_S);
  tone.connect(gain).connect(context.destination);
  tone.start(at);
  tone.stop(at + NOTE_S);
}
