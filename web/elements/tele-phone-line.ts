import { css, html, type TemplateResult } from 'lit';
import { moment, timeOfDay } from '../i18n/format.ts';
import { phoneWords } from '../i18n/phone.ts';
import * as icons from '../icons.ts';
import { type PhoneEntry, phoneStory } from '../state/phone-story.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

/** A line of the thread about masked phone calls. Tells `tele-action` to show the number that was bound. */
export class TelePhoneLine extends TeleElement {
  static override properties = { model: { attribute: false }, entry: { attribute: false } };
  declare model: VisitModel;
  declare entry: PhoneEntry;

  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: flex;
        justify-content: center;
        max-width: 92%;
        color: var(--text-2);
        font-size: 0.8125rem;
        line-height: 1.5;
      }
      div {
        display: inline-flex;
        align-items: flex-start;
        gap: 7px;
        min-width: 0;
      }
      .card {
        margin: 3px 0;
        padding: 7px 14px;
        border: 1px solid var(--line);
        border-radius: var(--radius-2);
        background: var(--surface);
        color: var(--text);
      }
      .missed {
        color: var(--danger);
      }
      svg {
        margin-top: 1px;
      }
      p {
        min-width: 0;
        overflow-wrap: anywhere;
      }
      button {
        min-height: 28px;
        min-width: 0;
        margin: -4px 0;
        padding: 0 8px;
        font-size: 0.8125rem;
      }
      time {
        flex: none;
        color: var(--text-2);
        font-size: 0.75rem;
        line-height: 1.625;
      }
    `,
  ];

  override render() {
    const { entry, model } = this;
    return html`<div class=${this.#style}>
      ${this.#icon}
      <p data-testid="phone-line" data-kind=${entry.kind}>${phoneStory(entry, model)} ${this.#opening}</p>
      <time datetime=${new Date(entry.at).toISOString()} title=${moment(entry.at)}>${timeOfDay(entry.at)}</time>
    </div>`;
  }

  /** A number that is bound now is one press away, for the two whose it is. */
  get #opening(): TemplateResult | null {
    const { entry, model } = this;
    if (entry.kind !== 'phone.bound') return null;
    const bound = model.phone.board?.bindings.find(({ bindingId }) => bindingId === entry.bindingId);
    if (bound === undefined || bound.state === 'unbound' || !bound.people.some((id) => model.isSelf(id)))
      return null;
    return html`<button type="button" class="quiet" data-testid="phone-line-open" @click=${() => this.tell('tele-action', 'phone')}>${phoneWords().line.open}</button>`;
  }

  get #style(): string {
    const { entry } = this;
    if (entry.kind !== 'phone.callEnded') return '';
    return entry.talkMs > 0 ? 'card' : 'card missed';
  }

  get #icon(): TemplateResult {
    return this.entry.kind === 'phone.callEnded' ? icons.hangUp(18) : icons.phone(17);
  }
}

customElements.define('tele-phone-line', TelePhoneLine);
