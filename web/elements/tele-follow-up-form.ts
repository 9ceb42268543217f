import { MAX_FOLLOW_UP_MS } from '@teleconsult/protocol/limits';
import { css, html, nothing } from 'lit';
import { recordsWords } from '../i18n/records.ts';
import { dateOf, dueAtOf } from '../state/follow-up-order.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { dialog } from '../styles/dialog.ts';
import { fields } from '../styles/fields.ts';
import { TeleElement } from './tele-element.ts';

export interface FollowUpPlan {
  /** As a date field has it. */
  readonly date: string;
  readonly reason: string;
}

/** Day and reason of a follow-up. Tells `tele-plan` with both once they are right, or `tele-cancel`. */
export class TeleFollowUpForm extends TeleElement {
  static override properties = {
    plan: { attribute: false },
    isBusy: { attribute: false },
    maxlength: { type: Number },
    isTold: { state: true },
  };
  declare plan: FollowUpPlan;
  declare isBusy: boolean;
  declare maxlength: number;
  /** What is wrong is said from the first try on. */
  declare private isTold: boolean;

  #date: string | null = null;
  #reason: string | null = null;

  static override styles = [
    common,
    buttons,
    dialog,
    fields,
    css`
      :host {
        display: block;
        margin-top: 12px;
        padding-top: 4px;
        border-top: 1px solid var(--line);
      }
    `,
  ];

  constructor() {
    super();
    this.isBusy = false;
    this.maxlength = 500;
    this.isTold = false;
  }

  override render() {
    const { followUps: words } = recordsWords();
    const wrongDate = this.isTold && dueAtOf(this.date) === null;
    const wrongReason = this.isTold && this.reason.trim() === '';
    return html`<form novalidate data-testid="follow-up-form" @submit=${this.#onSubmit}>
      <div class="field">
        <label for="date">${words.date}</label>
        <input
          id="date"
          type="date"
          data-testid="follow-up-date"
          required
          min=${dateOf(Date.now())}
          max=${dateOf(Date.now() + MAX_FOLLOW_UP_MS)}
          .value=${this.date}
          aria-invalid=${wrongDate ? 'true' : nothing}
          aria-describedby=${wrongDate ? 'wrong-date' : nothing}
          @input=${(event: Event) => {
            this.#date = (event.target as HTMLInputElement).value;
            this.requestUpdate();
          }}
        />
        ${wrongDate ? html`<span class="wrong" id="wrong-date" role="alert">${words.wrongDate}</span>` : null}
      </div>
      <div class="field">
        <label for="reason">${words.reason}</label>
        <textarea
          id="reason"
          data-testid="follow-up-reason"
          required
          maxlength=${this.maxlength}
          .value=${this.reason}
          aria-invalid=${wrongReason ? 'true' : nothing}
          aria-describedby=${wrongReason ? 'wrong-reason' : 'reason-hint'}
          @input=${(event: Event) => {
            this.#reason = (event.target as HTMLTextAreaElement).value;
            this.requestUpdate();
          }}
        ></textarea>
        <span class="hint" id="reason-hint">${words.reasonHint}</span>
        ${wrongReason ? html`<span class="wrong" id="wrong-reason" role="alert">${words.wrongReason}</span>` : null}
      </div>
      <div class="choices">
        <button type="button" @click=${() => this.tell('tele-cancel')}>${this.words.cancel}</button>
        <button type="submit" class="primary" data-testid="follow-up-save" ?disabled=${this.isBusy}>${words.save}</button>
      </div>
    </form>`;
  }

  private get date(): string {
    return this.#date ?? this.plan.date;
  }

  private get reason(): string {
    return this.#reason ?? this.plan.reason;
  }

  readonly #onSubmit = (event: Event): void => {
    event.preventDefault();
    this.isTold = true;
    const { date, reason } = this;
    if (dueAtOf(date) !== null && reason.trim() !== '') this.tell('tele-plan', { date, reason });
  };
}

customElements.define('tele-follow-up-form', TeleFollowUpForm);
