import { css, html } from 'lit';
import { language, setLanguage } from '../i18n/language.ts';
import { globe } from '../icons.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

/** Switches between the two languages. It shows the other one, in that language. */
export class TeleLanguage extends TeleElement {
  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: inline-flex;
      }
      button {
        gap: 6px;
        padding: 0 10px;
        border-color: transparent;
        background: transparent;
        color: var(--text-2);
        font-size: 0.875rem;
        white-space: nowrap;
      }
    `,
  ];

  override render() {
    const other = language() === 'en' ? 'zh-CN' : 'en';
    return html`<button
      type="button"
      data-testid="language"
      @click=${() => setLanguage(other)}
    >
      ${globe(20)}<span lang=${other}>${this.words.otherLanguage}</span>
      <span class="visually-hidden">${this.words.switchLanguage}</span>
    </button>`;
  }
}

customElements.define('tele-language', TeleLanguage);
