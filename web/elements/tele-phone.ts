import type { Phone } from '@teleconsult/client-sdk/phone';
import { AppError } from '@teleconsult/protocol/errors';
import { css, html, type TemplateResult } from 'lit';
import { moment } from '../i18n/format.ts';
import { phoneWords } from '../i18n/phone.ts';
import * as icons from '../icons.ts';
import { Follow } from '../state/follow.ts';
import { failure } from '../state/notice.ts';
import { type PhoneStanding, phoneStanding } from '../state/phone-standing.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { switchRow } from '../styles/switch.ts';
import './tele-confirm.ts';
import type { TeleConfirm } from './tele-confirm.ts';
import { TeleDialog } from './tele-dialog.ts';
import './tele-phone-number.ts';

type Standing<Is extends PhoneStanding['is']> = Extract<PhoneStanding, { is: Is }>;

/**
 * Masked phone calls of the visit: a number is asked for, called, saved and given back, and each of the two says whether
 * they want to be phoned at all.
 */
export class TelePhone extends TeleDialog {
  static override properties = {
    model: { attribute: false },
    phone: { state: true },
    hasFailed: { state: true },
    isBusy: { state: true },
    recorded: { state: true },
    oneWay: { state: true },
  };
  declare model: VisitModel;
  declare private phone: Phone | null;
  declare private hasFailed: boolean;
  declare private isBusy: boolean;
  declare private recorded: boolean;
  declare private oneWay: boolean;

  protected readonly testId = 'phone-dialog';
  /** Ends what this dialog waits for; a new one each time it comes into the page. */
  #shown = new AbortController();

  static override styles = [
    ...TeleDialog.styles,
    switchRow,
    css`
      .told {
        display: flex;
        gap: 8px;
        margin-top: 14px;
        padding: 10px 12px;
        border-radius: var(--radius-2);
        background: var(--warn-soft);
        color: var(--warn);
        font-size: 0.9375rem;
        line-height: 1.45;
      }
      .told span {
        min-width: 0;
        overflow-wrap: anywhere;
      }
      .said,
      .refusal {
        margin-top: 14px;
      }
      .refusal p {
        margin-top: 4px;
        font-size: 0.875rem;
      }
      .choices.get {
        margin-top: 14px;
      }
    `,
  ];

  constructor() {
    super();
    this.phone = null;
    this.hasFailed = false;
    this.isBusy = false;
    this.recorded = false;
    this.oneWay = false;
    new Follow<VisitModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#shown = new AbortController();
    void this.#load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#shown.abort();
  }

  protected override get heading(): string {
    return phoneWords().title;
  }

  protected override content(): TemplateResult {
    const { phone } = this;
    const words = phoneWords();
    if (this.hasFailed)
      return html`<p role="alert">${words.failed}</p>
        <div class="choices"><button type="button" class="primary" @click=${() => void this.#load()}>${this.words.retry}</button></div>`;
    const self = this.model.self?.personId;
    if (phone === null || self === undefined) return html`<p role="status">${this.words.loading}</p>`;
    const other = this.model.other?.personId ?? null;
    const standing = phoneStanding({ board: phone.board, self, other });
    if (standing.is === 'unavailable') return html`<p role="status">${words.unavailable}</p>`;
    return html`<p>${words.explanation(this.#otherName)}</p>
      ${this.#standing(phone, standing)} ${this.#refusal(phone, self)}
      <tele-confirm></tele-confirm>`;
  }

  #standing(phone: Phone, standing: Exclude<PhoneStanding, { is: 'unavailable' }>): TemplateResult | null {
    const words = phoneWords();
    switch (standing.is) {
      case 'bound':
        return this.#bound(phone, standing);
      case 'working': {
        const isEnding = standing.binding.state === 'unbinding';
        return html`<p class="said" role="status" data-testid="phone-working">${isEnding ? words.givingBack : words.getting}</p>
          ${isEnding ? null : html`<div class="choices">${this.#giveBack(phone, standing.binding.bindingId)}</div>`}`;
      }
      case 'refused':
        return html`${standing.by
          .filter(({ personId }) => !this.model.isSelf(personId))
          .map(({ personId, since }) =>
            this.#told('phone-other-refused', words.otherRefused(this.model.nameOf(personId), moment(since))),
          )}`;
      case 'unreachable':
        return this.#told(
          'phone-unreachable',
          standing.who === 'self' ? words.ownNumberMissing : words.otherNumberMissing(this.#otherName),
        );
      case 'none':
        return this.#asking(phone, standing);
      default: {
        const unreachable: never = standing;
        return unreachable;
      }
    }
  }

  #bound(phone: Phone, { binding, number }: Standing<'bound'>): TemplateResult {
    return html`<tele-phone-number .model=${this.model} .phone=${phone} .binding=${binding} .number=${number} .other=${this.#otherName}>
      ${this.#giveBack(phone, binding.bindingId)}
    </tele-phone-number>`;
  }

  #giveBack(phone: Phone, bindingId: string): TemplateResult {
    return html`<button type="button" data-testid="phone-give-back" ?disabled=${this.isBusy} @click=${() => void this.#release(phone, bindingId)}>
      ${icons.undo(20)}${phoneWords().giveBack}
    </button>`;
  }

  /** Only a doctor decides on a recording, and on who may call whom. */
  #asking(phone: Phone, { last }: Standing<'none'>): TemplateResult {
    const words = phoneWords();
    const { view, self, isFollowedUp } = this.model;
    const ended = last?.unboundReason ?? null;
    const told =
      ended === null
        ? null
        : html`<p class="said" role="status" data-testid="phone-last">${words.unbound[ended]}</p>`;
    if (view.phase !== 'active' && !isFollowedUp)
      return html`${told}<p class="said" data-testid="phone-not-now">${view.phase === 'ended' ? words.over : words.notYet}</p>`;
    const options =
      self?.role === 'doctor'
        ? html`<div class="said">
            ${this.#option('record', words.record, words.recordHint, this.recorded, (on) => {
              this.recorded = on;
            })}
            ${this.#option('one-way', words.oneWay, words.oneWayHint(this.#otherName), this.oneWay, (on) => {
              this.oneWay = on;
            })}
          </div>`
        : null;
    return html`${told}${options}
      <div class="choices get">
        <button type="button" class="primary" data-testid="phone-get" ?disabled=${this.isBusy} @click=${() => void this.#bind(phone)}>
          ${icons.phone(20)}${this.isBusy ? words.getting : words.get}
        </button>
      </div>`;
  }

  #option(id: string, text: string, hint: string, isOn: boolean, set: (on: boolean) => void): TemplateResult {
    return html`<label class="option">
      <input type="checkbox" data-testid=${`phone-${id}`} .checked=${isOn} ?disabled=${this.isBusy} @change=${(event: Event) => set((event.target as HTMLInputElement).checked)} />
      <span>${text}<small>${hint}</small></span>
    </label>`;
  }

  /** Said with its effect, before and after. */
  #refusal(phone: Phone, self: string): TemplateResult {
    const words = phoneWords();
    const isRefused = phone.board.refused.some(({ personId }) => personId === self);
    const set = (): void => void this.#do(() => phone.setRefused(!isRefused));
    return html`<div class="refusal">
      <button type="button" class="switch" role="switch" aria-checked=${isRefused ? 'true' : 'false'} data-testid="phone-refuse" ?disabled=${this.isBusy} @click=${set}>
        <span class="words">${words.refuse}<small>${words.refuseHint}</small></span><span class="knob"></span>
      </button>
      <p role="status">${isRefused ? words.refusedNow : words.allowedNow}</p>
    </div>`;
  }

  #told(testId: string, text: string): TemplateResult {
    return html`<p class="told" data-testid=${testId}>${icons.alert(18)}<span>${text}</span></p>`;
  }

  get #otherName(): string {
    return this.model.other?.displayName ?? '';
  }

  async #bind(phone: Phone): Promise<void> {
    const { recorded } = this;
    const direction = this.oneWay ? 'doctor_calls' : 'both';
    await this.#do(async () => {
      try {
        await phone.bind({ direction, recorded }, { signal: this.#shown.signal });
      } catch (error) {
        const text = bindFailure(error, recorded);
        if (text === null) throw error;
        this.notify(failure(text));
        // Why it was refused is on the board: a number was taken away, the other does not want to be phoned.
        await phone.load({ signal: this.#shown.signal });
      }
    });
  }

  async #release(phone: Phone, bindingId: string): Promise<void> {
    const words = phoneWords();
    const answer = await this.renderRoot.querySelector<TeleConfirm>('tele-confirm')?.ask({
      title: words.giveBackTitle,
      text: words.giveBackText,
      confirm: words.giveBack,
      back: words.keep,
      testId: 'phone-give-back-confirm',
    });
    if (typeof answer === 'string') await this.#do(() => phone.unbind(bindingId));
  }

  async #do(act: () => Promise<unknown>): Promise<void> {
    this.isBusy = true;
    await this.attempt(act);
    this.isBusy = false;
  }

  async #load(): Promise<void> {
    this.hasFailed = false;
    const isKnown = this.model.phone.board !== null;
    try {
      this.phone = await this.model.phone.open();
      // What was opened before may be old.
      if (isKnown) await this.phone.load({ signal: this.#shown.signal });
    } catch (error) {
      this.hasFailed = !(error instanceof AppError && error.code === 'ABORTED');
    }
  }
}

/** Why there is no number, in the words of this dialog; null where the general ones say it. */
function bindFailure(error: unknown, recorded: boolean): string | null {
  if (!(error instanceof AppError)) return null;
  const { errors } = phoneWords();
  if (error.code === 'FORBIDDEN') return errors.refused;
  if (error.code === 'WRONG_STATE') return recorded ? errors.notRecorded : errors.wrongState;
  if (error.code === 'NOT_CONFIGURED' && recorded) return errors.notRecorded;
  if (error.code === 'OVERLOADED') return errors.noNumber;
  return error.code === 'RATE_LIMITED' ? errors.tooMany : null;
}

customElements.define('tele-phone', TelePhone);
