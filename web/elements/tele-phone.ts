import type { Phone } from '@teleconsult/client-sdk/phone';
import { AppError } from '@teleconsult/protocol/errors';
import { css, html, type TemplateResult } from 'lit';
import { moment } from '../i18n/format.ts';
import { phoneWords } from '../i18n/phone.ts';
import * as icons from '../icons.ts';
import { Follow } from '../state/follow.ts';
import { KeptFocus } from '../state/kept-focus.ts';
import { failure, type Notice, noticeOf } from '../state/notice.ts';
import { type PhoneStanding, phoneStanding } from '../state/phone-standing.ts';
import { standingNews } from '../state/phone-standing-news.ts';
import { Ticker } from '../state/ticker.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { switchRow } from '../styles/switch.ts';
import './tele-confirm.ts';
import type { TeleConfirm } from './tele-confirm.ts';
import { TeleDialog } from './tele-dialog.ts';
import './tele-phone-number.ts';
import type { TelePhoneNumber } from './tele-phone-number.ts';

/** Providers answer within two seconds or so. After this it is said that it takes longer. */
const SLOW_MS = 6_000;

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
    problem: { state: true },
    recorded: { state: true },
    oneWay: { state: true },
  };
  declare model: VisitModel;
  declare private phone: Phone | null;
  declare private hasFailed: boolean;
  declare private isBusy: boolean;
  /** Why what was pressed did not work, and what to do. A toast would be gone before it is read, and lies under the dialog. */
  declare private problem: Notice | null;
  declare private recorded: boolean;
  declare private oneWay: boolean;

  protected readonly testId = 'phone-dialog';
  /** Ends what this dialog waits for; a new one each time it comes into the page. */
  #shown = new AbortController();
  /** As it was rendered last. */
  #before: PhoneStanding | null = null;
  /** For screen readers; in the dialog, as what is outside of a modal one is silent. */
  #said = '';
  /** The wait for the provider that is shown, and since when, by this device's clock. */
  #wait: { readonly key: string; readonly since: number } | null = null;

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
      .problem small {
        display: block;
        font-size: 0.75rem;
      }
      .problem {
        background: var(--danger-soft);
        color: var(--danger);
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
    this.problem = null;
    this.recorded = false;
    this.oneWay = false;
    new Follow<VisitModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
    new Ticker(this, { everyMs: 1000, running: () => this.#wait !== null });
    new KeptFocus(this, { isBusy: () => this.isBusy, goOn: () => void this.#focusNext() });
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

  protected override willUpdate(): void {
    const now = this.#look();
    this.#noticeWait(now);
    const news = now === null ? null : standingNews(this.#before, now);
    this.#before = now;
    if (news !== null) this.#said = news;
  }

  protected override get heading(): string {
    return phoneWords().title;
  }

  protected override content(): TemplateResult {
    const { phone } = this;
    const words = phoneWords();
    if (this.hasFailed)
      return html`<p role="alert">${words.failed}</p>
        <div class="choices"><button type="button" class="primary" data-testid="phone-retry" @click=${() => void this.#load()}>${this.words.retry}</button></div>`;
    const self = this.model.self?.personId;
    const standing = this.#before;
    if (phone === null || self === undefined || standing === null)
      return html`<p role="status">${this.words.loading}</p>`;
    if (standing.is === 'unavailable') return html`<p role="status">${words.unavailable}</p>`;
    const isOfOthers = standing.is === 'ofOthers';
    const mayCall = !isOfOthers && !this.#isOver;
    return html`${mayCall ? html`<p>${words.explanation(this.#otherName)}</p>` : null}
      ${this.#standing(phone, standing)}
      <div role="alert">${this.problem === null ? null : this.#problem(this.problem)}</div>
      ${isOfOthers ? null : this.#refusal(phone, self)}
      <p class="visually-hidden" role="status" data-testid="phone-said">${this.#said}</p>
      <tele-confirm></tele-confirm>`;
  }

  #look(): PhoneStanding | null {
    const { phone } = this;
    const self = this.model.self?.personId;
    if (phone === null || self === undefined) return null;
    return phoneStanding({ board: phone.board, self, other: this.model.other?.personId ?? null });
  }

  #noticeWait(standing: PhoneStanding | null): void {
    if (standing?.is !== 'working') {
      this.#wait = null;
      return;
    }
    const key = `${standing.binding.bindingId} ${standing.binding.state}`;
    if (this.#wait?.key === key) {
      if (this.#isSlow) this.#said = phoneWords().slow;
    } else this.#wait = { key, since: performance.now() };
  }

  get #isSlow(): boolean {
    return this.#wait !== null && performance.now() - this.#wait.since >= SLOW_MS;
  }

  #standing(phone: Phone, standing: Exclude<PhoneStanding, { is: 'unavailable' }>): TemplateResult | null {
    const words = phoneWords();
    switch (standing.is) {
      case 'bound':
        return this.#bound(phone, standing);
      case 'working':
        return this.#working(phone, standing);
      case 'ofOthers': {
        const [one = '', two = ''] = standing.people.map((personId) => this.model.nameOf(personId));
        return html`<p class="said" data-testid="phone-of-others">${words.ofOthers(one, two)}</p>`;
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

  /** Nothing can be called meanwhile. What was asked for can be taken back, which nobody has to confirm. */
  #working(phone: Phone, { binding: { bindingId, state } }: Standing<'working'>): TemplateResult {
    const words = phoneWords();
    const isEnding = state === 'unbinding';
    const stop = (): void => void this.#do(() => phone.unbind(bindingId));
    return html`<p class="said" data-testid="phone-working">${isEnding ? words.givingBack : words.getting}</p>
      ${this.#isSlow ? html`<p class="said" data-testid="phone-slow">${words.slow}</p>` : null}
      ${
        isEnding
          ? null
          : html`<div class="choices">
              <button type="button" data-testid="phone-stop-getting" ?disabled=${this.isBusy} @click=${stop}>${words.stopGetting}</button>
            </div>`
      }`;
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

  /** Only a doctor decides on a recording, where it is theirs to decide, and on who may call whom. */
  #asking(phone: Phone, { last }: Standing<'none'>): TemplateResult {
    const words = phoneWords();
    const { view, self } = this.model;
    if (this.#isOver) return html`<p class="said" data-testid="phone-not-now">${words.over}</p>`;
    if (view.phase !== 'active' && view.phase !== 'ended')
      return html`<p class="said" data-testid="phone-not-now">${words.notYet}</p>`;
    const { recording } = phone.board;
    const ended = last?.unboundReason ?? null;
    const record =
      recording === 'ask'
        ? this.#option('record', words.record, words.recordHint, this.recorded, (on) => {
            this.recorded = on;
          })
        : null;
    const options =
      self?.role === 'doctor'
        ? html`<div class="said">
            ${record}
            ${this.#option('one-way', words.oneWay, words.oneWayHint(this.#otherName), this.oneWay, (on) => {
              this.oneWay = on;
            })}
          </div>`
        : null;
    return html`${ended === null ? null : html`<p class="said" data-testid="phone-last">${words.unbound[ended]}</p>`}
      ${recording === 'always' ? this.#told('phone-always-recorded', words.recorded) : null}
      ${options}
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
      <p role="status">${isRefused ? words.refusedNow : this.#isOver ? '' : words.allowedNow}</p>
    </div>`;
  }

  #problem({ text, requestId }: Notice): TemplateResult {
    return html`<p class="told problem" data-testid="phone-problem">
      ${icons.alert(18)}<span>${text}${requestId === undefined ? null : html`<small>${this.words.requestId(requestId)}</small>`}</span>
    </p>`;
  }

  #told(testId: string, text: string): TemplateResult {
    return html`<p class="told" data-testid=${testId}>${icons.alert(18)}<span>${text}</span></p>`;
  }

  get #otherName(): string {
    return this.model.other?.displayName ?? '';
  }

  /** No number can be called in this visit any more. */
  get #isOver(): boolean {
    return this.model.view.phase === 'ended' && !this.model.isFollowedUp;
  }

  async #bind(phone: Phone): Promise<void> {
    const recorded = this.recorded && phone.board.recording === 'ask';
    const direction = this.oneWay ? 'doctor_calls' : 'both';
    await this.#do(async () => {
      try {
        await phone.bind({ direction, recorded }, { signal: this.#shown.signal });
      } catch (error) {
        const text = bindFailure(error, recorded);
        if (text === null) throw error;
        this.problem = failure(text);
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
    this.problem = null;
    try {
      await act();
    } catch (error) {
      this.problem ??= noticeOf(error);
    } finally {
      this.isBusy = false;
    }
  }

  /** The number, where it has come; else what can be pressed. */
  async #focusNext(): Promise<void> {
    const number = this.renderRoot.querySelector<TelePhoneNumber>('tele-phone-number');
    if (number !== null) {
      await number.updateComplete;
      number.focusFirst();
      return;
    }
    const find = (testId: string) => this.renderRoot.querySelector<HTMLElement>(`[data-testid="${testId}"]`);
    const next = ['phone-get', 'phone-stop-getting', 'phone-retry', 'phone-refuse', 'dialog-close'].map(find);
    next.find((element) => element?.matches(':enabled'))?.focus();
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
