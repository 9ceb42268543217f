import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { en, type Messages } from './en.ts';
import { zhCn } from './zh-cn.ts';

export type Language = 'en' | 'zh-CN';

const STORAGE_KEY = 'teleconsult.language';

const dictionaries: Readonly<Record<Language, Messages>> = { en, 'zh-CN': zhCn };

/** The language of a BCP 47 tag; all Chinese is read in Simplified Chinese, everything else in English. */
export const languageOf = (tag: string): Language => (/^zh\b/i.test(tag) ? 'zh-CN' : 'en');

/** The person's own choice, or else what the browser prefers. */
function chosen(): Language {
  try {
    const kept = localStorage.getItem(STORAGE_KEY);
    if (kept === 'en' || kept === 'zh-CN') return kept;
  } catch {
    // Storage may be forbidden; the browser's language is a good answer then.
  }
  return languageOf(navigator.language);
}

let current: Language = chosen();
const listeners = new Set<() => void>();

export const language = (): Language => current;
export const messages = (): Messages => dictionaries[current];

/** The tag for `Intl`: the browser's own regional variant of the language shown, so dates look familiar. */
export const locale = (): string =>
  navigator.languages.find((tag) => languageOf(tag) === current && tag.slice(0, 2) === current.slice(0, 2)) ??
  current;

export function setLanguage(next: Language): void {
  current = next;
  try {
    localStorage.setItem(STORAGE_KEY, next);
  } catch {
    // Without storage the choice lasts until the page is left.
  }
  showLanguage();
  for (const listener of [...listeners]) listener();
}

/** Tells the document its language, for screen readers, hyphenation and fonts. */
export function showLanguage(): void {
  document.documentElement.lang = current;
}

export function onLanguage(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Renders its host again when the language changes. */
export class LanguageController implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  #stop: (() => void) | null = null;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    this.#stop = onLanguage(() => this.#host.requestUpdate());
  }

  hostDisconnected(): void {
    this.#stop?.();
    this.#stop = null;
  }
}
