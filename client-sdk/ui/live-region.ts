import type { Announcement } from './announcements.ts';
import { make } from './dom.ts';

/** More than this at once nobody listens to. */
const MAX_SENTENCES = 6;
/** Screen readers have taken a sentence up long before; later it would only be found by browsing. */
const FORGET_MS = 10_000;

/** Speaks sentences one after the other. Each is a paragraph of its own, so that the next does not replace it. */
export class LiveRegion {
  readonly #polite = region('polite', 'status');
  readonly #urgent = region('assertive', 'alert');
  readonly element = make('div', 'unseen', this.#polite, this.#urgent);
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  say(announcements: readonly Announcement[]): void {
    for (const { text, isUrgent } of announcements) {
      const place = isUrgent ? this.#urgent : this.#polite;
      const sentence = make('p', '', text);
      place.append(sentence);
      while (place.childElementCount > MAX_SENTENCES) place.firstElementChild?.remove();
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        sentence.remove();
      }, FORGET_MS);
      this.#timers.add(timer);
    }
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#polite.replaceChildren();
    this.#urgent.replaceChildren();
  }
}

function region(live: 'polite' | 'assertive', role: 'status' | 'alert'): HTMLElement {
  const element = make('div');
  element.setAttribute('role', role);
  element.setAttribute('aria-live', live);
  element.setAttribute('aria-atomic', 'false');
  return element;
}
