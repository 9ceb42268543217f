import type { TeleconsultClient } from '@teleconsult/client-sdk/api';
import type { CallView, ConsultationView, ParticipantRole, QueuePlace } from '@teleconsult/protocol';
import { css, html, type TemplateResult } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import * as icons from '../icons.ts';
import type { Credentials } from '../state/credentials.ts';
import { information } from '../state/notice.ts';
import { OpenVisits } from '../state/open-visits.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { app } from '../styles/app.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleApp } from './tele-app.ts';
import './tele-connection.ts';
import './tele-consultation-list.ts';
import './tele-dialogs.ts';
import type { DialogName, TeleDialogs } from './tele-dialogs.ts';
import './tele-end-button.ts';
import './tele-language.ts';
import './tele-message-page.ts';
import './tele-request-card.ts';
import './tele-visit.ts';

/** The doctor's page: the list of consultations, and one of them open beside it. */
export class TeleAppDoctor extends TeleApp {
  static override properties = { selectedId: { state: true }, hasMore: { state: true } };
  declare private selectedId: string | null;
  declare private hasMore: boolean;

  protected readonly participantRole: ParticipantRole = 'doctor';
  readonly #views = new Map<string, ConsultationView>();
  readonly #unread = new Map<string, number>();
  readonly #queue = new Map<string, QueuePlace>();
  readonly #visits = new OpenVisits<VisitModel>({
    follow: (consultationId) => this.follow(consultationId),
    shownId: () => this.selectedId,
  });
  /** Rises with each choice: one that opens late finds out that another was made. */
  #choices = 0;

  static override styles = [
    common,
    buttons,
    app,
    css`
      .columns {
        display: grid;
        grid-template-columns: minmax(280px, 340px) minmax(0, 1fr);
        height: 100%;
      }
      .list {
        display: grid;
        grid-template: auto auto minmax(0, 1fr) auto / minmax(0, 1fr);
        min-height: 0;
        border-inline-end: 1px solid var(--line);
        background: var(--surface);
      }
      .list header {
        display: flex;
        align-items: center;
        justify-content: space-between;
        min-height: 64px;
        padding: env(safe-area-inset-top) 4px 0 20px;
      }
      .tools {
        display: flex;
      }
      h1 {
        min-width: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        font-size: 1.25rem;
      }
      tele-consultation-list {
        min-height: 0;
        overflow-y: auto;
        overscroll-behavior: contain;
      }
      .wide {
        min-height: 52px;
        border-radius: 0;
        border-block-start: 1px solid var(--line);
        padding-block-end: env(safe-area-inset-bottom);
      }
      .visit {
        display: grid;
        grid-template: minmax(0, 1fr) / minmax(0, 1fr);
        min-width: 0;
        min-height: 0;
      }
      .back {
        display: none;
      }
      @media (max-width: 820px) {
        .columns {
          grid-template-columns: minmax(0, 1fr);
        }
        .columns:not(.open) .visit,
        .columns.open .list {
          display: none;
        }
        .back {
          display: inline-flex;
          margin-inline-start: -10px;
          color: var(--primary);
        }
      }
    `,
  ];

  constructor() {
    super();
    this.selectedId = null;
    this.hasMore = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('popstate', this.#onHistory);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener('popstate', this.#onHistory);
  }

  protected override get models(): readonly VisitModel[] {
    return this.#visits.all;
  }

  protected override get shown(): VisitModel | null {
    return this.#visits.find(this.selectedId) ?? null;
  }

  protected override get pageTitle(): string {
    const patient = this.shown?.other?.displayName ?? this.words.doctor.consultations;
    return `${patient} · ${this.words.productName}`;
  }

  protected override async begin(client: TeleconsultClient, credentials: Credentials): Promise<void> {
    client.on('consultation', (view) => this.#hold([view]));
    client.on('call', (call) => this.#onCall(call));
    client.on('unread', ({ consultationId, unread }) => {
      this.#unread.set(consultationId, unread);
      this.requestUpdate();
    });
    client.on('queue', (place) => {
      this.#queue.set(place.consultationId, place);
      this.requestUpdate();
    });
    client.on('left', ({ consultationId }) => this.#onLeft(consultationId));
    // What was missed while disconnected is in the list.
    client.on('connection', ({ state }) => {
      if (state === 'connected') void this.#load(client).catch(() => undefined);
    });
    const kept: unknown = history.state?.consultation;
    await this.#load(client);
    // A reload returns to the consultation that was open; a link may name one.
    const wanted = typeof kept === 'string' ? kept : credentials.consultationId;
    if (wanted !== null && (await this.#show(wanted)))
      // The browser's way back leads here again.
      history.replaceState({ consultation: wanted }, '');
  }

  protected override get unread(): number {
    let sum = 0;
    for (const [consultationId, unread] of this.#unread) if (this.#views.has(consultationId)) sum += unread;
    return sum;
  }

  protected override async followCall(consultationId: string): Promise<void> {
    await this.#visits.open(consultationId);
  }

  protected override async openConsultation(consultationId: string): Promise<void> {
    await this.#choose(consultationId);
  }

  protected override answered(model: VisitModel): void {
    void this.#choose(model.view.consultationId);
  }

  protected override page(): TemplateResult {
    const { doctor } = this.words;
    const selected = this.shown;
    return html`<main class="columns ${this.selectedId === null ? '' : 'open'}">
      <section class="list" aria-labelledby="list-title">
        <header><h1 id="list-title">${doctor.consultations}</h1>
          <span class="tools">
            ${this.#tool('colleagues', this.words.colleagues.open, icons.people())}
            ${this.#tool('settings', this.words.settings.open, icons.settings())}
            <tele-language></tele-language>
          </span></header>
        ${this.selectedId === null ? this.#connection() : html`<span></span>`}
        <tele-consultation-list
          .consultations=${[...this.#views.values()]}
          .unread=${new Map(this.#unread)}
          .queue=${new Map(this.#queue)}
          .selfId=${this.client?.personId ?? null}
          .selectedId=${this.selectedId}
          .hasMore=${this.hasMore}
          @tele-choose=${(event: CustomEvent<string>) => void this.#choose(event.detail)}
          @tele-more=${() => void this.#more()}
        ></tele-consultation-list>
        ${this.#tool('channel', this.words.colleagues.channel, icons.microphone(20), this.words.colleagues.channel)}
      </section>
      <section class="visit" @tele-left=${(event: CustomEvent<string>) => this.#onLeft(event.detail)} aria-label=${selected?.other?.displayName ?? doctor.choose}>
        ${selected === null ? this.#nothing() : this.#visit(selected)}
      </section>
      <tele-dialogs .client=${this.client} .sdk=${this.sdk} @tele-choose=${(event: CustomEvent<string>) => void this.#choose(event.detail)}></tele-dialogs>
    </main>`;
  }

  #visit(model: VisitModel): unknown {
    // A key of its own: what was attached for one patient must never be sent to the next.
    return keyed(
      model,
      html`<tele-visit
        .model=${model}
        .sdk=${this.sdk}
        .client=${this.client}
        .smallCallId=${this.smallCallId}
        .comingCallId=${this.client?.restoring?.callId ?? null}
      >
        <button
          slot="before"
          class="back icon"
          type="button"
          data-testid="back"
          aria-label=${this.words.doctor.backToList}
          @click=${() => void this.#choose(null)}
        >
          ${icons.back()}
        </button>
        <tele-end-button slot="after" .model=${model}></tele-end-button>
        <div slot="notice">
          ${this.#connection()}
          <tele-request-card .model=${model}></tele-request-card>
        </div>
      </tele-visit>`,
    );
  }

  /** @param text what is read beside the icon; left out: nothing is */
  #tool(name: DialogName, label: string, icon: TemplateResult, text?: string): TemplateResult {
    return html`<button
      class=${text === undefined ? 'icon' : 'quiet wide'}
      type="button"
      data-testid=${`open-${name}`}
      aria-label=${label}
      title=${label}
      @click=${() => void this.renderRoot.querySelector<TeleDialogs>('tele-dialogs')?.open(name)}
    >
      ${icon}${text}
    </button>`;
  }

  /** A guest left: the consultation is no longer theirs to see. */
  #onLeft(consultationId: string): void {
    this.#visits.drop(consultationId);
    this.#views.delete(consultationId);
    this.#unread.delete(consultationId);
    this.requestUpdate();
    if (this.selectedId !== consultationId) return;
    this.show(information(this.words.people.removed));
    void this.#choose(null);
  }

  #nothing(): TemplateResult {
    const { doctor } = this.words;
    return html`<tele-message-page heading=${doctor.choose} text=${doctor.chooseHint}>${icons.chat(44)}</tele-message-page>`;
  }

  #connection(): TemplateResult {
    return html`<tele-connection .client=${this.client}></tele-connection>`;
  }

  async #load(client: TeleconsultClient, createdBefore?: number): Promise<void> {
    const page = await client.listConsultations(createdBefore === undefined ? {} : { createdBefore });
    this.hasMore = page.hasMore;
    for (const { consultationId, unread } of page.unread) this.#unread.set(consultationId, unread);
    for (const place of page.queue) this.#queue.set(place.consultationId, place);
    this.#hold(page.consultations);
  }

  async #more(): Promise<void> {
    const { client } = this;
    if (client === null) return;
    const oldest = Math.min(...[...this.#views.values()].map(({ createdAt }) => createdAt));
    await this.attempt(() => this.#load(client, oldest));
  }

  #hold(views: readonly ConsultationView[]): void {
    for (const view of views) {
      // Their place is a dialog of its own.
      if (view.kind === 'health_channel') continue;
      this.#views.set(view.consultationId, view);
      if (view.phase !== 'waiting') this.#queue.delete(view.consultationId);
    }
    this.requestUpdate();
  }

  /** A patient may call in a consultation that is not open: it has to be followed before it can ring. */
  /** It rings, or the doctor is called into one that runs already. */
  #onCall({ state, seats, consultationId }: CallView): void {
    const self = this.client?.personId;
    const isCalled = seats.some((seat) => seat.personId === self && seat.state === 'invited');
    if ((state !== 'ringing' && !isCalled) || this.#visits.find(consultationId) !== undefined) return;
    void this.attempt(() => this.#visits.open(consultationId)).then(() => this.requestUpdate());
  }

  async #choose(consultationId: string | null): Promise<void> {
    if (consultationId === this.selectedId) {
      // Back to what is shown, while another was still being opened.
      this.#choices += 1;
      return;
    }
    if (await this.#show(consultationId)) history.pushState({ consultation: consultationId }, '');
  }

  /** False: it could not be opened, or another was chosen meanwhile. */
  async #show(consultationId: string | null): Promise<boolean> {
    this.#choices += 1;
    const choice = this.#choices;
    if (consultationId === null) {
      this.selectedId = null;
      return true;
    }
    const isOpen = await this.attempt(async () => {
      const model = await this.#visits.open(consultationId);
      this.#hold([model.view]);
    });
    if (!isOpen || choice !== this.#choices) return false;
    this.selectedId = consultationId;
    return true;
  }

  readonly #onHistory = (event: PopStateEvent): void => {
    const consultationId: unknown = event.state?.consultation;
    void this.#show(typeof consultationId === 'string' ? consultationId : null);
  };
}

customElements.define('tele-app-doctor', TeleAppDoctor);
