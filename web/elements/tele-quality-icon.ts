import type { QualityLevel } from '@teleconsult/protocol';
import { css, html, LitElement } from 'lit';
import { common } from '../styles/common.ts';

const BARS: Readonly<Record<QualityLevel, number>> = { lost: 0, poor: 1, fair: 2, good: 3 };

/** Three bars, as phones show reception. Decoration: the words stand beside it. */
export class TeleQualityIcon extends LitElement {
  static override properties = { level: { reflect: true } };
  declare level: QualityLevel;

  static override styles = [
    common,
    css`
      :host {
        display: inline-block;
        color: #7fd6a0;
      }
      :host([level='fair']) {
        color: #f2c063;
      }
      :host([level='poor']),
      :host([level='lost']) {
        color: #ff9b92;
      }
      rect {
        fill: currentColor;
        opacity: 0.28;
      }
      .lit {
        opacity: 1;
      }
    `,
  ];

  constructor() {
    super();
    this.level = 'good';
  }

  override render() {
    const lit = BARS[this.level];
    return html`<svg aria-hidden="true" width="18" height="16" viewBox="0 0 18 16">
      <rect class=${lit > 0 ? 'lit' : ''} x="1" y="10" width="4" height="5" rx="1"></rect>
      <rect class=${lit > 1 ? 'lit' : ''} x="7" y="6" width="4" height="9" rx="1"></rect>
      <rect class=${lit > 2 ? 'lit' : ''} x="13" y="1" width="4" height="14" rx="1"></rect>
    </svg>`;
  }
}

customElements.define('tele-quality-icon', TeleQualityIcon);
