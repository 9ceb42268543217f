import { css, html, LitElement } from 'lit';
import { common } from '../styles/common.ts';

/** A page that only says something: an icon, a heading, a sentence. */
export class TeleMessagePage extends LitElement {
  static override properties = { heading: {}, text: {} };
  declare heading: string;
  declare text: string;

  static override styles = [
    common,
    css`
      :host {
        display: grid;
        place-items: center;
        height: 100%;
        padding: 24px;
      }
      div {
        display: grid;
        justify-items: center;
        gap: 10px;
        max-width: 420px;
        text-align: center;
      }
      ::slotted(*) {
        color: var(--primary);
      }
      h1 {
        font-size: 1.375rem;
        line-height: 1.35;
      }
      p {
        color: var(--text-2);
      }
    `,
  ];

  constructor() {
    super();
    this.heading = '';
    this.text = '';
  }

  override render() {
    return html`<div>
      <slot></slot>
      <h1>${this.heading}</h1>
      <p>${this.text}</p>
    </div>`;
  }
}

customElements.define('tele-message-page', TeleMessagePage);
