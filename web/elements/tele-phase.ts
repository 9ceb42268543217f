import type { ConsultationPhase } from '@teleconsult/protocol';
import { css, html } from 'lit';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

/** The phase of a consultation in a word, with a colour beside it. */
export class TelePhase extends TeleElement {
  static override properties = { phase: {} };
  declare phase: ConsultationPhase;

  static override styles = [
    common,
    css`
      :host {
        display: inline-flex;
      }
      span {
        display: inline-flex;
        align-items: center;
        gap: 6px;
        padding: 1px 9px 1px 7px;
        border-radius: 999px;
        background: var(--surface-2);
        color: var(--text-2);
        font: 600 0.75rem / 1.6 var(--font);
        white-space: nowrap;
      }
      span::before {
        content: '';
        width: 7px;
        height: 7px;
        border-radius: 50%;
        background: currentColor;
      }
      .waiting {
        background: var(--warn-soft);
        color: var(--warn);
      }
      .active {
        background: var(--ok-soft);
        color: var(--ok);
      }
      .requested {
        background: var(--primary-soft);
        color: var(--primary);
      }
    `,
  ];

  constructor() {
    super();
    this.phase = 'requested';
  }

  override render() {
    return html`<span class=${this.phase}>${this.words.phase[this.phase]}</span>`;
  }
}

customElements.define('tele-phase', TelePhase);
