import { language, locale } from '../i18n/language.ts';
import { playNote } from './ring-tone.ts';

const NOTES = [
  { frequency: 659.25, startS: 0 },
  { frequency: 493.88, startS: 0.26 },
] as const;
const GAIN = 0.06;
/** The tones are over by then. */
const TONES_MS = 900;

/** Two falling notes, and the sentence aloud where the device can speak. What a screen reader says comes beside it. */
export function chime(text: string): void {
  const context = new AudioContext();
  for (const { frequency, startS } of NOTES)
    playNote(context, { frequency, gain: GAIN, at: context.currentTime + startS });
  setTimeout(() => void context.close().catch(() => undefined), TONES_MS);
  if (!('speechSynthesis' in globalThis)) return;
  const utterance = new SpeechSynthesisUtterance(text);
  utterance.lang = language() === 'en' && !locale().startsWith('en') ? 'en' : locale();
  speechSynthesis.speak(utterance);
}
