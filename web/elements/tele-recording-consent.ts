import { css, html } from 'lit';
import { timeOfDay } from '../i18n/format.ts';
import { recordsWords } from '../i18n/records.ts';
import * as marks from '../icons-records.ts';
import type { CallModel } from '../state/call-model.ts';
import { Follow } from '../state/follow.ts';
import { hasModal } from '../state/open-modal.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { dialog } from '../styles/dialog.ts';
import { TeleElement } from './tele-element.ts';

/**
 * Asks this person whether they may be recorded. Only its two buttons close it, and the focus lies on neither, so no
 * key or tap meant for something else answers. It leaves the call usable: muting and hanging up come first.
 */
export class TeleRecordingConsent extends TeleElement {
  static override properties = { model: { attribute: false }, answering: { state: true } };
  declare model: CallModel;
  declare private answering: boolean;

  static override styles = [
    common,
    buttons,
    dialog,
    css`
      dialog,
      dialog[open]:not(:modal) {
        position: fixed;
        z-index: 22;
        inset: calc(12px + env(safe-area-inset-top)) 0 auto;
        width: min(460px, calc(100vw - 24px));
        max-height: calc(100dvh - 150px);
        margin: 0 auto;
        padding: 20px;
        border-radius: 20px;
        border: 2px solid var(--danger);
        box-shadow: var(--shadow-2);
      }
      h2 {
        display: flex;
        gap: 10px;
      }
      h2:focus {
        outline: none;
      }
      h2 svg {
        margin-top: 3px;
        color: var(--danger);
      }
      p + p {
        margin-top: 8px;
      }
      .what {
        color: var(--text);
        font-weight: 600;
      }
      .choices {
        margin-top: 16px;
      }
      .choices button {
        flex: 1 1 140px;
        min-height: 48px;
      }
    `,
  ];

  constructor() {
    super();
    this.answering = false;
    new Follow<CallModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
  }

  override render() {
    const { consent } = recordsWords().call;
    const { recording, view, nameOf } = this.model;
    if (recording === null) return null;
    const isLate = recording.phase !== 'asking';
    const title = isLate ? consent.titleLate : consent.title(nameOf(recording.startedBy));
    return html`<dialog
      role="alertdialog"
      aria-labelledby="title"
      aria-describedby="text"
      data-testid="recording-consent"
      @cancel=${(event: Event) => event.preventDefault()}
    >
      <h2 id="title" tabindex="-1">${marks.record()}<span>${title}</span></h2>
      <div id="text">
        <p class="what">${consent.what[view.media]}${isLate ? ` ${consent.late}` : ''}</p>
        <p>${consent.whoHears}</p>
        <p>${consent.withdraw}${recording.answerUntil === null ? '' : ` ${consent.until(timeOfDay(recording.answerUntil))}`}</p>
      </div>
      <div class="choices">
        <button type="button" data-testid="recording-refuse" ?disabled=${this.answering} @click=${() => void this.#answer(false)}>
          ${consent.refuse}
        </button>
        <button type="button" class="primary" data-testid="recording-agree" ?disabled=${this.answering} @click=${() => void this.#answer(true)}>
          ${consent.agree}
        </button>
      </div>
    </dialog>`;
  }

  protected override firstUpdated(): void {
    const shown = this.renderRoot.querySelector('dialog');
    if (shown === null) return;
    // Under a modal dialog it could be neither read nor answered.
    if (hasModal(document)) shown.showModal();
    else shown.show();
    this.renderRoot.querySelector<HTMLElement>('h2')?.focus();
  }

  async #answer(granted: boolean): Promise<void> {
    if (this.answering) return;
    this.answering = true;
    await this.attempt(() => this.model.answerRecording(granted));
    this.answering = false;
  }
}

customElements.define('tele-recording-consent', TeleRecordingConsent);
