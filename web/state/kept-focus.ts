import type { LitElement, ReactiveController } from 'lit';

interface KeptFocusOptions {
  /** What was pressed still works: its button is there, and may not be pressed. */
  readonly isBusy: () => boolean;
  /** Focuses what comes next, where the button that had the focus is gone. */
  readonly goOn: () => void;
}

/**
 * A button takes the focus with it when it did its work and goes, and lets go of it while it may not be pressed. Without
 * this the keyboard would begin at the top again, and a screen reader would fall silent.
 */
export class KeptFocus implements ReactiveController {
  readonly #host: LitElement;
  readonly #options: KeptFocusOptions;
  #last: HTMLElement | null = null;
  /** It was the button that rested, not the person who left it. */
  #isOwed = false;

  constructor(host: LitElement, options: KeptFocusOptions) {
    this.#host = host;
    this.#options = options;
    host.addController(this);
  }

  hostConnected(): void {
    // Within a shadow tree the focus moves unheard by the element around it.
    this.#host.renderRoot.addEventListener('focusin', this.#notice);
  }

  hostDisconnected(): void {
    this.#host.renderRoot.removeEventListener('focusin', this.#notice);
    this.#last = null;
    this.#isOwed = false;
  }

  hostUpdated(): void {
    const last = this.#last;
    if (last === null) return;
    if (this.#options.isBusy()) {
      this.#isOwed ||= last.matches(':disabled');
      return;
    }
    const { activeElement, body } = document;
    if (activeElement !== null && activeElement !== body) this.#isOwed = false;
    else if (!last.isConnected) this.#options.goOn();
    else if (this.#isOwed) last.focus();
  }

  readonly #notice = (event: Event): void => {
    const [target] = event.composedPath();
    this.#last = target instanceof HTMLElement ? target : null;
    this.#isOwed = false;
  };
}
