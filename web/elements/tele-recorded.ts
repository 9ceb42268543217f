import { html } from 'lit';
import type { VisitModel } from '../state/visit-model.ts';
import { TeleElement } from './tele-element.ts';

/** The place above the page for what is recorded now. Its code is fetched with the first, and stays to tell the end as well. */
export class TeleRecorded extends TeleElement {
  static override properties = {
    models: { attribute: false },
    shown: { attribute: false },
    isLarge: { attribute: false },
    isHere: { state: true },
  };
  declare models: readonly VisitModel[];
  declare shown: VisitModel | null;
  declare isLarge: boolean;
  declare private isHere: boolean;

  constructor() {
    super();
    this.models = [];
    this.shown = null;
    this.isLarge = false;
    this.isHere = false;
  }

  override render() {
    const call = this.models.find((model) => model.call?.isOngoing)?.call ?? null;
    const waiting = this.shown?.dictation == null ? null : this.shown;
    const dictating = this.models.find(({ isDictating }) => isDictating) ?? waiting;
    if (!this.isHere) {
      if (call?.recording != null || dictating !== null) void this.#fetch();
      return null;
    }
    return html`<tele-recorded-now .call=${call} .isLarge=${this.isLarge} .dictating=${dictating}></tele-recorded-now>`;
  }

  /** Where it fails it is asked for with the next change: nothing is recorded of whoever has not answered. */
  async #fetch(): Promise<void> {
    try {
      await import('./tele-recorded-now.ts');
      this.isHere = true;
    } catch {
      // See above.
    }
  }
}

customElements.define('tele-recorded', TeleRecorded);
