import { css, html, type TemplateResult } from 'lit';
import * as icons from '../icons.ts';
import type { Delivery } from '../state/delivery.ts';
import { listed } from '../state/names.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

/** How far a message of one's own has come: a check, two checks, two in colour; and the same in words. */
export class TeleTicks extends TeleElement {
  static override properties = { delivery: { attribute: false } };
  declare delivery: Delivery;

  static override styles = [
    common,
    css`
      :host {
        display: inline-flex;
      }
      .read {
        color: var(--primary);
      }
    `,
  ];

  override render() {
    const { state } = this.delivery;
    return html`<span class=${state} data-testid="ticks" data-state=${state} title=${this.#sentence}>${this.#icon()}</span>
      <span class="visually-hidden">${this.#sentence}</span>`;
  }

  #icon(): TemplateResult {
    return this.delivery.state === 'sent' ? icons.check(14) : icons.checks(15);
  }

  get #sentence(): string {
    const { state, read, delivered, others } = this.delivery;
    const words = this.words.thread;
    if (others < 2) return words[state];
    const names = (people: typeof read): string => listed(people.map(({ displayName }) => displayName));
    if (read.length > 0) return words.readBy(names(read));
    return delivered.length > 0 ? words.deliveredTo(names(delivered)) : words.sent;
  }
}

customElements.define('tele-ticks', TeleTicks);
