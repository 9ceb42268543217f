import { css, html } from 'lit';
import { timeOfDay } from '../i18n/format.ts';
import { Follow } from '../state/follow.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import './tele-confirm.ts';
import type { TeleConfirm } from './tele-confirm.ts';
import { TeleElement } from './tele-element.ts';

/** What a patient reads before the doctor comes: where they are, what happens next, how to leave. */
export class TeleWaitingCard extends TeleElement {
  static override properties = { model: { attribute: false } };
  declare model: VisitModel;

  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: block;
        background: var(--primary-soft);
      }
      section {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px 20px;
        max-width: 820px;
        margin: 0 auto;
        padding: 14px 16px;
      }
      .words {
        flex: 1 1 260px;
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: 2px 12px;
      }
      .pulse {
        position: relative;
        width: 12px;
        height: 12px;
        margin: 7px 4px 0;
        border-radius: 50%;
        background: var(--primary);
      }
      .pulse::after {
        content: '';
        position: absolute;
        inset: 0;
        border-radius: 50%;
        background: var(--primary);
        animation: pulse 2.2s ease-out infinite;
      }
      h2 {
        font-size: 1.0625rem;
        line-height: 1.5;
      }
      .words p {
        grid-column: 2;
        color: var(--text);
        font-size: 0.9375rem;
        line-height: 1.5;
      }
      .words .since {
        color: var(--text-2);
        font-size: 0.8125rem;
      }
      .cancel {
        margin-inline-start: auto;
        color: var(--text);
      }
      @keyframes pulse {
        to {
          opacity: 0;
          transform: scale(2.6);
        }
      }
      @media (prefers-reduced-motion: reduce) {
        .pulse::after {
          display: none;
        }
      }
    `,
  ];

  constructor() {
    super();
    new Follow<VisitModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update), model.visit.on('entries', update)],
    });
  }

  override render() {
    const { view, other, visit } = this.model;
    if (view.phase !== 'requested' && view.phase !== 'waiting') return null;
    const { waiting } = this.words;
    const since = visit.entries.find(({ kind }) => kind === 'consultation.waiting')?.at;
    return html`<section aria-labelledby="title" data-testid="waiting">
        <div class="words">
          <span class="pulse"></span>
          <h2 id="title">${waiting.title(other?.displayName ?? this.words.role.doctor)}</h2>
          <p>${view.phase === 'requested' ? waiting.entering : waiting.text}</p>
          <p>${waiting.meanwhile}</p>
          ${since === undefined ? null : html`<p class="since">${waiting.since(timeOfDay(since))}</p>`}
        </div>
        <button class="cancel" type="button" data-testid="cancel" @click=${() => void this.#cancel()}>
          ${waiting.cancel}
        </button>
      </section>
      <tele-confirm></tele-confirm>`;
  }

  async #cancel(): Promise<void> {
    const { waiting } = this.words;
    const answer = await this.renderRoot.querySelector<TeleConfirm>('tele-confirm')?.ask({
      title: waiting.cancelTitle,
      text: waiting.cancelText,
      confirm: waiting.cancelConfirm,
      back: waiting.cancelBack,
      testId: 'cancel-confirm',
    });
    if (typeof answer === 'string') await this.attempt(() => this.model.visit.cancel());
  }
}

customElements.define('tele-waiting-card', TeleWaitingCard);
