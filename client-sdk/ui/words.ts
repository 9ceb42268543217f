import type { CallRecording } from '@teleconsult/protocol';
import type { AwaitedSource } from '../api.ts';
import type { FloatingLanguage } from './floating-call-api.ts';
import type { Ending } from './scene.ts';
import { english } from './words-en.ts';
import { chinese } from './words-zh.ts';

/** Everything the window says, seen or spoken. */
export interface Words {
  /** How the other side is called while the app does not tell its name. */
  readonly other: string;
  readonly sentence: (text: string) => string;
  readonly window: (name: string | null) => string;
  readonly small: string;
  readonly large: string;
  readonly restoring: string;
  /** After `restoring`: there is nothing to return to, or another device has it. */
  readonly notFound: string;
  readonly back: (microphoneOn: boolean) => string;
  readonly ringing: string;
  readonly connecting: string;
  readonly reconnecting: string;
  readonly reconnected: string;
  readonly otherReconnecting: (name: string) => string;
  readonly stillPicture: (name: string) => string;
  readonly otherBack: (name: string) => string;
  readonly otherLost: (name: string, until: string) => string;
  readonly otherInterrupted: (name: string) => string;
  readonly interrupted: string;
  /** How the other side takes part: by telephone. */
  readonly byPhone: string;
  readonly elsewhere: string;
  readonly ownPhone: string;
  readonly moved: string;
  readonly continueHere: string;
  /** No device of the person is in the call. */
  readonly lost: string;
  readonly lostUntil: (until: string) => string;
  readonly comeBack: string;
  readonly close: string;
  readonly goOn: string;
  readonly awaitingSources: (sources: readonly AwaitedSource[]) => string;
  readonly awaitingSound: string;
  readonly microphone: string;
  readonly mute: string;
  readonly unmute: string;
  readonly muted: string;
  readonly unmuted: string;
  readonly mutedBy: (name: string) => string;
  readonly speaksMuted: string;
  readonly camera: string;
  readonly cameraOff: string;
  readonly cameraOn: string;
  readonly refused: Readonly<Record<AwaitedSource, string>>;
  readonly unavailable: Readonly<Record<AwaitedSource, string>>;
  readonly expand: string;
  readonly hangUp: string;
  readonly leave: string;
  readonly recording: Readonly<Record<CallRecording['phase'], string>>;
  readonly controls: string;
  readonly picture: (name: string) => string;
  readonly ownPicture: string;
  readonly more: (count: number) => string;
  /** As the badge has it, which may be "99+". */
  readonly unread: (count: string) => string;
  readonly move: string;
  readonly moveHow: string;
  readonly ended: string;
  readonly endedBecause: Readonly<Partial<Record<Ending, string>>>;
}

/** The tag for `Intl` beside the words. */
export const LOCALES: Readonly<Record<FloatingLanguage, string>> = { zh: 'zh-CN', en: 'en-GB' };

const dictionaries: Readonly<Record<FloatingLanguage, Words>> = { en: english, zh: chinese };

export const wordsOf = (language: FloatingLanguage): Words => dictionaries[language];

/** All Chinese is read in Simplified Chinese, everything else in English. */
export const languageOf = (tag: string): FloatingLanguage => (/^zh\b/i.test(tag) ? 'zh' : 'en');

/** The nearest `lang` around an element, also outside the shadow tree in which it stands. */
export function languageAround(element: Element): FloatingLanguage {
  let place: Element | null = element;
  while (place !== null) {
    const told: Element | null = place.closest('[lang]');
    if (told !== null) return languageOf(told.getAttribute('lang') ?? '');
    const root: Node = place.getRootNode();
    place = root instanceof ShadowRoot ? root.host : null;
  }
  return 'en';
}
