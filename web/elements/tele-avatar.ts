import { css, html, LitElement } from 'lit';
import { colourOf, initials } from '../state/initials.ts';
import { common } from '../styles/common.ts';

/** A person's initials in a circle. Decoration: the name stands beside it. */
export class TeleAvatar extends LitElement {
  static override properties = { name: {} };
  declare name: string;

  static override styles = [
    common,
    css`
      :host {
        --size: 40px;
        display: inline-block;
        flex: none;
        width: var(--size);
        height: var(--size);
      }
      span {
        display: grid;
        place-items: center;
        width: 100%;
        height: 100%;
        border-radius: 50%;
        background: var(--avatar-0);
        color: #fff;
        font: 600 calc(var(--size) * 0.38) / 1 var(--font);
        user-select: none;
      }
      .c1 {
        background: var(--avatar-1);
      }
      .c2 {
        background: var(--avatar-2);
      }
      .c3 {
        background: var(--avatar-3);
      }
      .c4 {
        background: var(--avatar-4);
      }
    `,
  ];

  constructor() {
    super();
    this.name = '';
  }

  override render() {
    return html`<span class="c${colourOf(this.name)}" aria-hidden="true">${initials(this.name)}</span>`;
  }
}

customElements.define('tele-avatar', TeleAvatar);
