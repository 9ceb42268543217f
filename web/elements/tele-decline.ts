import type { DeclineReason } from '@teleconsult/protocol';
import { MAX_CAPTION_LENGTH } from '@teleconsult/protocol/limits';
import { html } from 'lit';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { dialog } from '../styles/dialog.ts';
import { fields } from '../styles/fields.ts';
import { TeleElement } from './tele-element.ts';

export interface Declined {
  readonly reason?: DeclineReason;
  readonly note?: string;
}

const REASONS: readonly DeclineReason[] = [
  'other_department',
  'see_a_doctor_in_person',
  'emergency',
  'more_information_needed',
  'no_time',
  'other',
];

/** Asks a doctor why they decline. The patient reads what to do, as it stands below the reason that is chosen. */
export class TeleDecline extends TeleElement {
  static override properties = {
    isAsking: { state: true },
    isColleague: { state: true },
    reason: { state: true },
  };
  declare private isAsking: boolean;
  declare private isColleague: boolean;
  declare private reason: DeclineReason;

  #answer: ((declined: Declined | null) => void) | null = null;

  static override styles = [common, buttons, dialog, fields];

  constructor() {
    super();
    this.isAsking = false;
    this.isColleague = false;
    this.reason = 'other_department';
  }

  /** Resolves to what was chosen, or to null when the doctor went back. A colleague gives no reason, only a note. */
  async ask(isColleague: boolean): Promise<Declined | null> {
    this.#answer?.(null);
    this.isColleague = isColleague;
    this.isAsking = true;
    await this.updateComplete;
    const answered = new Promise<Declined | null>((resolve) => {
      this.#answer = resolve;
    });
    this.#dialog?.showModal();
    return answered;
  }

  override render() {
    const { doctor, decline } = this.words;
    return html`<dialog aria-labelledby="title" aria-describedby="text" data-testid="decline-dialog" @close=${() => this.#settle(null)}>
      ${
        this.isAsking
          ? html`<h2 id="title">${this.isColleague ? doctor.colleagueDeclineTitle : doctor.declineTitle}</h2>
            <p id="text">${this.isColleague ? doctor.colleagueDeclineText : doctor.declineText}</p>
            ${
              this.isColleague
                ? null
                : html`<div class="field">
                  <label for="reason">${doctor.declineReason}</label>
                  <select id="reason" data-testid="decline-reason" aria-describedby="advice" @change=${this.#onReason}>
                    ${REASONS.map((reason) => html`<option value=${reason} ?selected=${reason === this.reason}>${decline.reasons[reason]}</option>`)}
                  </select>
                  <p class="hint" id="advice">${decline.advice[this.reason]}</p>
                </div>`
            }
            <div class="field">
              <label for="note">${doctor.note}</label>
              <textarea id="note" data-testid="note" maxlength=${MAX_CAPTION_LENGTH}></textarea>
            </div>
            <div class="choices">
              <button type="button" @click=${() => this.#settle(null)}>${this.words.cancel}</button>
              <button type="button" class="danger" data-testid="decline-confirm" @click=${this.#confirm}>${doctor.decline}</button>
            </div>`
          : null
      }
    </dialog>`;
  }

  readonly #onReason = (event: Event): void => {
    const { value } = event.target as HTMLSelectElement;
    this.reason = REASONS.find((reason) => reason === value) ?? 'other';
  };

  readonly #confirm = (): void => {
    const note = this.renderRoot.querySelector<HTMLTextAreaElement>('#note')?.value.trim() ?? '';
    this.#settle({ ...(this.isColleague ? {} : { reason: this.reason }), ...(note === '' ? {} : { note }) });
  };

  #settle(declined: Declined | null): void {
    const answer = this.#answer;
    this.#answer = null;
    this.#dialog?.close();
    this.isAsking = false;
    answer?.(declined);
  }

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }
}

customElements.define('tele-decline', TeleDecline);
