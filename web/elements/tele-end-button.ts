import { MAX_CAPTION_LENGTH } from '@teleconsult/protocol/limits';
import { css, html } from 'lit';
import { Follow } from '../state/follow.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import './tele-confirm.ts';
import type { TeleConfirm } from './tele-confirm.ts';
import { TeleElement } from './tele-element.ts';

/** Ends a running consultation, after asking. */
export class TeleEndButton extends TeleElement {
  static override properties = { model: { attribute: false } };
  declare model: VisitModel;

  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: block;
      }
      .end {
        margin-inline-start: 4px;
        padding: 0 14px;
        color: var(--danger);
      }
    `,
  ];

  constructor() {
    super();
    new Follow<VisitModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
  }

  override render() {
    if (this.model.view.phase !== 'active' || this.model.self?.role !== 'doctor') return null;
    return html`<button class="end" type="button" data-testid="end" @click=${() => void this.#end()}>
        ${this.words.doctor.end}
      </button>
      <tele-confirm></tele-confirm>`;
  }

  async #end(): Promise<void> {
    const { doctor } = this.words;
    const note = await this.renderRoot.querySelector<TeleConfirm>('tele-confirm')?.ask({
      title: doctor.endTitle,
      text: doctor.endText,
      confirm: doctor.endConfirm,
      back: doctor.keepGoing,
      testId: 'end-confirm',
      noteLabel: doctor.note,
      maxNoteLength: MAX_CAPTION_LENGTH,
    });
    if (typeof note === 'string') await this.attempt(() => this.model.visit.end(note === '' ? {} : { note }));
  }
}

customElements.define('tele-end-button', TeleEndButton);
