import type { ConsultationView, QueuePlace } from '@teleconsult/protocol';
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
    unread: { attribute: false },
    queue: { attribute: false },
    selfId: { attribute: false },
    selectedId: { attribute: false },
    hasMore: { type: Boolean },
  };
  declare consultations: readonly ConsultationView[];
  /** Unread messages and places in the queue by consultation. */
  declare unread: ReadonlyMap<string, number>;
  declare queue: ReadonlyMap<string, QueuePlace>;
  declare selfId: string | null;
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
      .top {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      .unread {
        flex: none;
        min-width: 22px;
        padding: 0 7px;
        border-radius: 999px;
        background: var(--primary);
        color: var(--on-primary);
        font-size: 0.75rem;
        font-weight: 700;
        line-height: 22px;
        text-align: center;
      }
      .place {
        margin-inline-start: auto;
        color: var(--warn);
        font-size: 0.8125rem;
        font-weight: 600;
      }
      .name {
        flex: 1;
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
    this.unread = new Map();
    this.queue = new Map();
    this.selfId = null;
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
          sorted(this.consultations, this.queue),
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
    const isVisit = view.kind === 'visit';
    const others = view.participants.filter(({ personId, role }) =>
      this.selfId === null ? role !== 'doctor' : personId !== this.selfId,
    );
    const person = (isVisit ? others.find(({ role }) => role === 'patient') : undefined) ?? others[0];
    const name = person?.displayName ?? '';
    const unread = this.unread.get(view.consultationId) ?? 0;
    const place = view.phase === 'waiting' ? this.queue.get(view.consultationId) : undefined;
    const { doctor } = this.words;
    return html`<button
      class="item ${view.phase}"
      type="button"
      data-testid="consultation-item"
      data-consultation=${view.consultationId}
      aria-current=${view.consultationId === this.selectedId}
      @click=${() => this.tell('tele-choose', view.consultationId)}
    >
      <tele-avatar name=${name}></tele-avatar>
      <span class="who">
        <span class="top"><span class="name">${name}</span>${
          unread === 0
            ? null
            : html`<span class="unread" data-testid="unread-badge"><span aria-hidden="true">${unread > 99 ? '99+' : unread}</span><span class="visually-hidden">${doctor.unread(unread)}</span></span>`
        }</span>
        <span class="state">
          <span class="when" title=${moment(view.createdAt)}>${ago(view.createdAt)}${isVisit ? null : ` · ${this.words.colleagues.thread}`}</span>
          ${place === undefined ? null : html`<span class="place" data-testid="queue-badge" title=${doctor.positionLabel(place.position)}>${doctor.position(place.position)}</span>`}
          <tele-phase phase=${view.phase}></tele-phase>
        </span>
      </span>
    </button>`;
  }
}

customElements.define('tele-consultation-list', TeleConsultationList);
