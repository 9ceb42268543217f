import { css, html } from 'lit';
import { timeOfDay } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import { speak } from '../state/announcer.ts';
import type { CallModel } from '../state/call-model.ts';
import { Follow } from '../state/follow.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

/**
 * A call of this person that this device does not hold: another device or a telephone does, or this one lost it and could not resume by
 * itself. Says which, and offers to go on here.
 */
export class TeleCallElsewhere extends TeleElement {
  static override properties = { model: { attribute: false }, isComing: { state: true } };
  declare model: CallModel;
  declare private isComing: boolean;

  #spoken = '';

  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: block;
        background: var(--stage);
        color: var(--stage-text);
      }
      .bar {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 12px;
        min-height: 64px;
        padding: 10px 16px 10px 20px;
      }
      p {
        flex: 1 1 200px;
        font-size: 0.9375rem;
        line-height: 1.4;
      }
      button {
        border-color: transparent;
        border-radius: 999px;
        background: #5cc8c4;
        color: #00201f;
      }
      button:hover:not(:disabled) {
        background: #7bd7d3;
      }
      :focus-visible {
        outline-color: #8ab8ff;
      }
    `,
  ];

  constructor() {
    super();
    this.isComing = false;
    new Follow<CallModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
  }

  override render() {
    const { call } = this.words;
    return html`<section class="bar" aria-label=${call.label} data-testid="call-elsewhere">
      ${icons.phone()}
      <p data-testid="call-state" data-state=${this.#state}>${this.#text}</p>
      <button type="button" data-testid="call-take-over" ?disabled=${this.isComing} @click=${() => void this.#continueHere()}>
        ${this.model.isLost ? call.comeBack : call.takeOver}
      </button>
    </section>`;
  }

  protected override updated(): void {
    if (this.#spoken === this.#text) return;
    this.#spoken = this.#text;
    speak(this.#text);
  }

  get #state(): 'phone' | 'lost' | 'elsewhere' {
    if (this.model.isByPhone) return 'phone';
    return this.model.isLost ? 'lost' : 'elsewhere';
  }

  get #text(): string {
    const { call } = this.words;
    const { isLost, comeBackUntil } = this.model;
    if (this.model.isByPhone) return call.byPhone;
    if (!isLost) return call.elsewhere;
    if (comeBackUntil === null) return call.youWereLost;
    return `${call.youWereLost} ${call.comeBackUntil(timeOfDay(comeBackUntil))}`;
  }

  /** Without the camera: moving a call to this device must not show more than was asked for. */
  async #continueHere(): Promise<void> {
    this.isComing = true;
    await this.attempt(() => this.model.call.accept({ camera: false }));
    this.isComing = false;
  }
}

customElements.define('tele-call-elsewhere', TeleCallElsewhere);
