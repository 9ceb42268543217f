import type { ConsultationView } from '@teleconsult/protocol';
import { css, html, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { ago, moment } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import { sorted } from '../state/consultation-order.ts';
import { Ticker } from '../state/ticker.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import './tele-avatar.ts';
import { TeleElement } from './tele-element.ts';
import './tele-phase.ts';

/** The doctor's consultations. A press tells `tele-choose` with the id; `tele-more` asks for older ones. */
export class TeleConsultationList extends TeleElement {
  static override properties = {
    consultations: { attribute: false },
    selectedId: { attribute: false },
    hasMore: { type: Boolean },
  };
  declare consultations: readonly ConsultationView[];
  declare selectedId: string | null;
  declare hasMore: boolean;

  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: block;
        padding: 8px;
      }
      .count {
        padding: 4px 12px 8px;
        color: var(--text-2);
        font-size: 0.875rem;
      }
      .item {
        display: flex;
        justify-content: flex-start;
        align-items: center;
        gap: 12px;
        width: 100%;
        min-height: 72px;
        margin-bottom: 2px;
        padding: 10px 12px;
        border-color: transparent;
        border-radius: 16px;
        background: transparent;
        font-weight: 400;
        text-align: start;
      }
      .item[aria-current='true'] {
        background: var(--primary-soft);
      }
      .who {
        flex: 1;
        min-width: 0;
      }
      .name {
        display: block;
        overflow: hidden;
        font-weight: 600;
        font-size: 1rem;
        line-height: 1.45;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .state {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 8px;
        margin-top: 2px;
      }
      .when {
        color: var(--text-2);
        font-size: 0.8125rem;
        line-height: 1.45;
      }
      .ended .name {
        font-weight: 500;
      }
      .empty {
        display: grid;
        justify-items: center;
        gap: 4px;
        padding: 20vh 24px 0;
        color: var(--text-2);
        text-align: center;
      }
      .empty strong {
        color: var(--text);
      }
      .more {
        width: 100%;
      }
    `,
  ];

  constructor() {
    super();
    this.consultations = [];
    this.selectedId = null;
    this.hasMore = false;
    new Ticker(this, { everyMs: 30_000, running: () => true });
  }

  override render() {
    const { doctor } = this.words;
    if (this.consultations.length === 0)
      return html`<div class="empty">
        ${icons.chat(30)}
        <p><strong>${doctor.empty}</strong></p>
        <p>${doctor.emptyHint}</p>
      </div>`;
    const waiting = this.consultations.filter(({ phase }) => phase === 'waiting').length;
    return html`<p class="count" role="status">${waiting === 0 ? null : doctor.waitingCount(waiting)}</p>
      <ul>
        ${repeat(
          sorted(this.consultations),
          ({ consultationId }) => consultationId,
          (view) => html`<li>${this.#item(view)}</li>`,
        )}
      </ul>
      ${
        this.hasMore
          ? html`<button class="more quiet" type="button" @click=${() => this.tell('tele-more')}>${doctor.more}</button>`
          : null
      }`;
  }

  #item(view: ConsultationView): TemplateResult {
    const patient = view.participants.find(({ role }) => role === 'patient')?.displayName ?? '';
    return html`<button
      class="item ${view.phase}"
      type="button"
      data-testid="consultation-item"
      data-consultation=${view.consultationId}
      aria-current=${view.consultationId === this.selectedId}
      @click=${() => this.tell('tele-choose', view.consultationId)}
    >
      <tele-avatar name=${patient}></tele-avatar>
      <span class="who">
        <span class="name">${patient}</span>
        <span class="state">
          <span class="when" title=${moment(view.createdAt)}>${ago(view.createdAt)}</span>
          <tele-phase phase=${view.phase}></tele-phase>
        </span>
      </span>
    </button>`;
  }
}

customElements.define('tele-consultation-list', TeleConsultationList);
