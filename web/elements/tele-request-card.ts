import { MAX_CAPTION_LENGTH } from '@teleconsult/protocol/limits';
import { css, html } from 'lit';
import { Follow } from '../state/follow.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import './tele-confirm.ts';
import type { TeleConfirm } from './tele-confirm.ts';
import { TeleElement } from './tele-element.ts';

/** What a doctor decides before a consultation begins: to take it, or to decline it with a note. */
export class TeleRequestCard extends TeleElement {
  static override properties = { model: { attribute: false }, isDeciding: { state: true } };
  declare model: VisitModel;
  declare private isDeciding: boolean;

  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: block;
      }
      section {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 10px 20px;
        padding: 12px 16px;
        border-bottom: 1px solid var(--line);
        background: var(--warn-soft);
      }
      .requested {
        background: var(--primary-soft);
      }
      .words {
        flex: 1 1 240px;
        min-width: 0;
      }
      h2 {
        font-size: 1rem;
        line-height: 1.45;
      }
      p {
        color: var(--text);
        font-size: 0.875rem;
      }
      .choices {
        display: flex;
        flex: 0 1 auto;
        gap: 10px;
      }
      @media (max-width: 560px) {
        .choices {
          flex: 1 1 100%;
        }
        .choices button {
          flex: 1;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.isDeciding = false;
    new Follow<VisitModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
  }

  override render() {
    const { phase } = this.model.view;
    if (phase !== 'requested' && phase !== 'waiting') return null;
    const { doctor } = this.words;
    const patient = this.model.other?.displayName ?? this.words.role.patient;
    return html`<section class=${phase} aria-labelledby="title">
        <div class="words">
          <h2 id="title">${phase === 'waiting' ? doctor.waitingFor(patient) : doctor.requestedBy(patient)}</h2>
          <p>${doctor.canRead}</p>
        </div>
        <div class="choices">
          <button type="button" data-testid="decline" ?disabled=${this.isDeciding} @click=${() => void this.#decline()}>
            ${doctor.decline}
          </button>
          <button type="button" class="primary" data-testid="accept" ?disabled=${this.isDeciding} @click=${() => void this.#accept()}>
            ${doctor.accept}
          </button>
        </div>
      </section>
      <tele-confirm></tele-confirm>`;
  }

  async #accept(): Promise<void> {
    this.isDeciding = true;
    await this.attempt(() => this.model.visit.accept());
    this.isDeciding = false;
  }

  async #decline(): Promise<void> {
    const { doctor } = this.words;
    const note = await this.renderRoot.querySelector<TeleConfirm>('tele-confirm')?.ask({
      title: doctor.declineTitle,
      text: doctor.declineText,
      confirm: doctor.decline,
      back: this.words.cancel,
      testId: 'decline-confirm',
      noteLabel: doctor.note,
      maxNoteLength: MAX_CAPTION_LENGTH,
    });
    if (typeof note !== 'string') return;
    this.isDeciding = true;
    await this.attempt(() => this.model.visit.decline(note === '' ? {} : { note }));
    this.isDeciding = false;
  }
}

customElements.define('tele-request-card', TeleRequestCard);
