import { make, setText } from './dom.ts';

/**
 * The one clear control, by itself at the foot of the page, for the time in which no window is here to hold it: the
 * app shows the call large, or the browser shows its picture.
 */
export class Pill {
  readonly #why = make('p', 'why');
  readonly #goOn = make('button', 'go-on');
  readonly element = make('div', 'pill', this.#why, this.#goOn);

  constructor(goOn: () => void) {
    this.element.hidden = true;
    this.element.setAttribute('role', 'region');
    this.element.dataset['testid'] = 'floating-pill';
    this.#goOn.type = 'button';
    this.#goOn.setAttribute('part', 'button go-on');
    this.#goOn.addEventListener('click', goOn);
  }

  /** Null hides it. */
  show(text: { readonly why: string; readonly goOn: string; readonly label: string } | null): void {
    this.element.hidden = text === null;
    if (text === null) return;
    this.element.setAttribute('aria-label', text.label);
    setText(this.#why, text.why);
    setText(this.#goOn, text.goOn);
  }
}
