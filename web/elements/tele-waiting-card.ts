import { css, html, type TemplateResult } from 'lit';
import { timeOfDay } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import { Follow } from '../state/follow.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { waitMinutes } from '../state/wait.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import './tele-confirm.ts';
import './tele-device-check-note.ts';
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
      .words p,
      .words tele-device-check-note {
        grid-column: 2;
        color: var(--text);
        font-size: 0.9375rem;
        line-height: 1.5;
      }
      .words .since {
        color: var(--text-2);
        font-size: 0.8125rem;
      }
      .words .place {
        font-size: 1rem;
      }
      .actions {
        display: flex;
        flex: 1 1 100%;
        flex-wrap: wrap;
        gap: 8px;
        padding-inline-start: 32px;
      }
      .actions button {
        padding: 0 14px;
        font-size: 0.875rem;
      }
      .cancel {
        color: var(--danger);
      }
      @media (max-width: 480px) {
        .actions {
          padding-inline-start: 0;
        }
        .actions button {
          flex: 1 1 calc(50% - 8px);
          padding: 4px 10px;
          line-height: 1.3;
        }
        .actions svg {
          display: none;
        }
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
    if (this.model.self?.role !== 'patient') return null;
    if (view.phase !== 'requested' && view.phase !== 'waiting') return null;
    const { waiting } = this.words;
    const since = visit.entries.find(({ kind }) => kind === 'consultation.waiting')?.at;
    return html`<section aria-labelledby="title" data-testid="waiting">
        <div class="words">
          <span class="pulse"></span>
          <h2 id="title">${waiting.title(other?.displayName ?? this.words.role.doctor)}</h2>
          ${this.#place()}
          <p>${view.phase === 'requested' ? waiting.entering : waiting.text}</p>
          ${this.#facts(since)}
        </div>
        ${this.#actions()}
      </section>
      <tele-confirm></tele-confirm>`;
  }

  #place(): TemplateResult | null {
    const { queue } = this.model.visit;
    if (queue === null) return null;
    const { waiting } = this.words;
    const estimate =
      queue.estimateMs === null ? waiting.noEstimate : waiting.estimate(waitMinutes(queue.estimateMs));
    return html`<p class="place" data-testid="queue-place" data-position=${queue.position}>
      <strong>${waiting.place(queue.position)}</strong> <span data-testid="queue-estimate">${estimate}</span>
    </p>`;
  }

  #facts(since: number | undefined): TemplateResult {
    const { waiting, subject } = this.words;
    const { other, view } = this.model;
    const name = other?.displayName ?? this.words.role.doctor;
    const isOnline = other !== undefined && this.model.isOnline(other.personId);
    const person = view.subject;
    return html`<p class="since">
        ${since === undefined ? null : `${waiting.since(timeOfDay(since))} · `}${isOnline ? waiting.doctorOnline(name) : waiting.doctorOffline(name)}
      </p>
      ${
        person === null
          ? null
          : html`<p class="since" data-testid="subject">${subject.otherShown(person.displayName, subject.relationships[person.relationship])}</p>`
      }
      <tele-device-check-note class="since"></tele-device-check-note>`;
  }

  #actions(): TemplateResult {
    const { waiting, form, subject, check } = this.words;
    const hasSent = this.model.visit.entries.some(
      (entry) => entry.kind === 'message.sent' && entry.content.type === 'form',
    );
    return html`<div class="actions">
      <button type="button" class=${hasSent ? '' : 'primary'} data-testid="open-form" @click=${() => this.tell('tele-action', 'form')}>
        ${icons.clipboard(20)}${hasSent ? form.again : form.open}
      </button>
      <button type="button" data-testid="open-subject" @click=${() => this.tell('tele-action', 'subject')}>${icons.person(20)}${subject.open}</button>
      <button type="button" data-testid="open-check" @click=${() => this.tell('tele-action', 'check')}>${icons.video(20)}${check.open}</button>
      <button class="cancel quiet" type="button" data-testid="cancel" @click=${() => void this.#cancel()}>${waiting.cancel}</button>
    </div>`;
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
