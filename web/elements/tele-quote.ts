import type { MessageContent } from '@teleconsult/protocol';
import { css, html } from 'lit';
import { quoteOf } from '../state/quote.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

/** A message quoted above its answer. A press tells `tele-jump` with its sequence. */
export class TeleQuote extends TeleElement {
  static override properties = { sequence: { type: Number }, sender: {}, content: { attribute: false } };
  declare sequence: number;
  declare sender: string;
  /** Left out while the message is not held; then only a way to it is shown. */
  declare content: MessageContent | null;

  static override styles = [
    common,
    css`
      :host {
        display: block;
      }
      button {
        display: block;
        width: 100%;
        min-height: 44px;
        margin: 0;
        padding: 4px 10px;
        border: 0;
        border-inline-start: 3px solid var(--primary);
        border-radius: 8px;
        background: color-mix(in srgb, var(--text) 7%, transparent);
        color: var(--text);
        font: 0.8125rem / 1.45 var(--font);
        text-align: start;
        cursor: pointer;
      }
      strong {
        display: block;
        color: var(--text);
        font-weight: 600;
      }
      .line {
        display: -webkit-box;
        overflow: hidden;
        overflow-wrap: anywhere;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 2;
      }
    `,
  ];

  constructor() {
    super();
    this.sequence = 0;
    this.sender = '';
    this.content = null;
  }

  override render() {
    const words = this.words.thread;
    return html`<button
      type="button"
      data-testid="quote"
      @click=${() => this.tell('tele-jump', this.sequence)}
    >
      <span class="visually-hidden">${words.jumpTo(this.sender)}</span>
      <strong>${this.sender}</strong>
      <span class="line">${this.content === null ? '…' : quoteOf(this.content)}</span>
    </button>`;
  }
}

customElements.define('tele-quote', TeleQuote);
