import { css, html, type TemplateResult } from 'lit';
import { Follow } from '../state/follow.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import type { TeleDecline } from './tele-decline.ts';
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
    const { phase, kind, requestedBy } = this.model.view;
    if (phase !== 'requested' && phase !== 'waiting') return null;
    if (this.model.self?.role !== 'doctor') return null;
    if (kind === 'colleagues') return this.#colleague(this.model.isSelf(requestedBy));
    const { doctor } = this.words;
    const patient = this.model.other?.displayName ?? this.words.role.patient;
    return html`<section class=${phase} aria-labelledby="title">
        <div class="words">
          <h2 id="title">${phase === 'waiting' ? doctor.waitingFor(patient) : doctor.requestedBy(patient)}</h2>
          ${this.#facts()}
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
      <tele-decline></tele-decline>`;
  }

  /** A thread of doctors: whoever was asked answers; whoever asked may withdraw. */
  #colleague(isOwn: boolean): TemplateResult {
    const { doctor, colleagues } = this.words;
    const name = this.model.other?.displayName ?? this.words.role.doctor;
    return html`<section class="requested" aria-labelledby="title">
        <div class="words"><h2 id="title">${isOwn ? colleagues.waitingFor(name) : colleagues.wants(name)}</h2></div>
        <div class="choices">
          ${
            isOwn
              ? html`<button type="button" data-testid="withdraw" ?disabled=${this.isDeciding} @click=${() => void this.#withdraw()}>${colleagues.withdraw}</button>`
              : html`<button type="button" data-testid="decline" ?disabled=${this.isDeciding} @click=${() => void this.#decline()}>${doctor.decline}</button>
                  <button type="button" class="primary" data-testid="accept" ?disabled=${this.isDeciding} @click=${() => void this.#accept()}>${doctor.accept}</button>`
          }
        </div>
      </section>
      <tele-decline></tele-decline>`;
  }

  #facts(): TemplateResult {
    const { doctor, subject } = this.words;
    const { queue } = this.model.visit;
    const person = this.model.view.subject;
    return html`${queue === null ? null : html`<p data-testid="queue-place">${doctor.positionLabel(queue.position)}</p>`}
      ${
        person === null
          ? null
          : html`<p data-testid="subject">
              ${subject.otherShown(person.displayName, subject.relationships[person.relationship])}
              ${person.birthYear === undefined ? null : `${subject.bornIn(person.birthYear)} · `}${subject.authorisedBy(subject.bases[person.authorisation.basis])}
            </p>`
      }
      <p>${doctor.canRead}</p>`;
  }

  async #withdraw(): Promise<void> {
    this.isDeciding = true;
    await this.attempt(() => this.model.visit.cancel());
    this.isDeciding = false;
  }

  async #accept(): Promise<void> {
    this.isDeciding = true;
    await this.attempt(() => this.model.visit.accept());
    this.isDeciding = false;
  }

  async #decline(): Promise<void> {
    const isColleague = this.model.view.kind === 'colleagues';
    // Most requests are taken.
    if (!(await this.fetched(() => import('./tele-decline.ts')))) return;
    const declined = await this.renderRoot.querySelector<TeleDecline>('tele-decline')?.ask(isColleague);
    if (declined == null) return;
    this.isDeciding = true;
    await this.attempt(() => this.model.visit.decline(declined));
    this.isDeciding = false;
  }
}

customElements.define('tele-request-card', TeleRequestCard);
