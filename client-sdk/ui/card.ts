import type { CallActs } from './call-acts.ts';
import { awaitedInWords, captionOf, hintInWords, type Speech } from './caption.ts';
import { Controls } from './controls.ts';
import { make, setAttribute, setText } from './dom.ts';
import { Picture } from './picture.ts';
import type { Scene } from './scene.ts';

export interface CardLook {
  readonly scene: Scene;
  readonly speech: Speech;
  readonly unread: number;
  readonly now: number;
}

/** The call as it is seen in the box of the page and in a window of its own: picture, words and buttons. */
export class Card {
  readonly picture = new Picture();
  readonly #name = make('span', 'name');
  readonly #more = make('span', 'more');
  readonly #record = make('span', 'record');
  readonly #state = make('span', 'state');
  readonly #hint = make('p', 'hint');
  readonly #why = make('p', 'why');
  readonly #goOn = make('button', 'go-on');
  readonly #prompt = make('div', 'prompt', this.#why, this.#goOn);
  readonly #caption = make(
    'div',
    'caption',
    make('p', 'who', this.#name, this.#more),
    this.#record,
    this.#state,
  );
  readonly #controls: Controls;
  readonly element: HTMLElement;

  constructor(acts: CallActs) {
    this.#controls = new Controls(acts);
    this.#goOn.type = 'button';
    this.#goOn.dataset['testid'] = 'floating-go-on';
    this.#goOn.setAttribute('part', 'button go-on');
    this.#goOn.addEventListener('click', () => acts.goOn());
    this.#state.dataset['testid'] = 'floating-state';
    this.#record.dataset['testid'] = 'floating-recording';
    this.#name.dataset['testid'] = 'floating-name';
    this.#caption.setAttribute('part', 'caption');
    const stage = make('div', 'stage', this.picture.element, this.#caption, this.#hint, this.#prompt);
    stage.setAttribute('part', 'stage');
    this.element = make('div', 'card', stage, this.#controls.element);
  }

  show({ scene, speech, unread, now }: CardLook): void {
    const focused = this.#focused;
    this.#write({ scene, speech, unread, now });
    // A button that did its work and went takes the focus with it; the next one is near.
    if (focused?.closest('[hidden]') != null) this.#nearestButton?.focus();
  }

  #write({ scene, speech, unread, now }: CardLook): void {
    const { words } = speech;
    const running = scene.kind === 'call' ? scene : null;
    const name = 'name' in scene ? scene.name : null;
    setAttribute(this.element, 'data-scene', scene.kind);
    setAttribute(this.element, 'data-situation', running?.situation.kind ?? null);
    this.#showPicture(scene, name, speech);
    setText(this.#name, name ?? (running === null ? '' : words.window(null)));
    setText(this.#more, running === null || running.moreCount === 0 ? '' : words.more(running.moreCount));
    setText(this.#state, captionOf(scene, speech, now));
    const recording = running?.recording ?? null;
    setAttribute(this.#record, 'data-phase', recording);
    setText(this.#record, recording === null ? '' : words.recording[recording]);
    const hint = running?.hint ?? null;
    setText(this.#hint, hint === null ? '' : hintInWords(hint, words));
    this.#hint.hidden = hint === null;
    this.#prompt.hidden = running === null || running.awaited === null;
    setText(this.#why, running === null ? '' : awaitedInWords(running, words));
    setText(this.#goOn, words.goOn);
    this.#controls.show({ scene, words, unread });
  }

  /** A picture box, or a low one with the name beside its letters. */
  get isTall(): boolean {
    return this.element.dataset['layout'] === 'tall';
  }

  /** What of the card has the focus, in whichever document it is. */
  get #focused(): Element | null {
    const { activeElement } = this.element.getRootNode() as Document | ShadowRoot | { activeElement: null };
    return activeElement !== null && this.element.contains(activeElement) ? activeElement : null;
  }

  /** One of its own; else that of the box around it, by which the box gives the focus back as it goes. */
  get #nearestButton(): HTMLElement | undefined {
    const around = this.element.parentElement?.querySelectorAll('button') ?? [];
    const shown = [...around].filter((button) => button.closest('[hidden]') === null);
    return shown.find((button) => this.element.contains(button)) ?? shown[0];
  }

  #showPicture(scene: Scene, name: string | null, { words }: Speech): void {
    const running = scene.kind === 'call' ? scene : null;
    setAttribute(this.element, 'data-layout', running?.isVideo === true ? 'tall' : 'low');
    this.picture.show({
      personId: running?.personId ?? null,
      picture: running?.picture ?? null,
      isFrozen: running?.isFrozen ?? false,
      isByPhone: running?.isByPhone ?? false,
      ownPicture: running?.ownPicture ?? null,
      name,
      label: words.picture(name ?? words.other),
      ownLabel: words.ownPicture,
    });
  }
}
