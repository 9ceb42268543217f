import type { TeleconsultClient } from '@teleconsult/client-sdk/api';
import type { ParticipantRole } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { html, type TemplateResult } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import * as icons from '../icons.ts';
import { type Credentials, rememberConsultation } from '../state/credentials.ts';
import { OpenVisits } from '../state/open-visits.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { app, plain } from '../styles/app.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleApp } from './tele-app.ts';
import './tele-connection.ts';
import './tele-language.ts';
import './tele-message-page.ts';
import './tele-visit.ts';
import './tele-waiting-card.ts';

/** The visit that is looked at, and that of the call when it is another one. */
const MAX_OPEN = 2;

/** The patient's page: one consultation, from the waiting room to its end. */
export class TeleAppPatient extends TeleApp {
  protected readonly participantRole: ParticipantRole = 'patient';
  readonly #visits = new OpenVisits<VisitModel>({
    follow: (consultationId) => this.follow(consultationId),
    shownId: () => this.#shownId,
    most: MAX_OPEN,
  });
  #shownId: string | null = null;
  /** Rises with each choice: one that opens late finds out that another was made. */
  #choices = 0;

  static override styles = [common, buttons, app, plain];

  protected override get models(): readonly VisitModel[] {
    return this.#visits.all;
  }

  protected override get shown(): VisitModel | null {
    return this.#visits.find(this.#shownId) ?? null;
  }

  protected override get pageTitle(): string {
    const doctor = this.shown?.other?.displayName;
    return doctor === undefined ? this.words.productName : `${doctor} · ${this.words.productName}`;
  }

  protected override async begin(client: TeleconsultClient, credentials: Credentials): Promise<void> {
    const consultationId = credentials.consultationId ?? (await newestOf(client));
    // A guest may have nothing yet but an invitation.
    if (consultationId === null && this.invitation === null) throw new AppError('NOT_FOUND');
    if (consultationId !== null) await this.#show(consultationId);
    // A lost answer is asked again with the next connection; entering twice changes nothing.
    client.on('connection', ({ state }) => {
      if (state === 'connected') void this.#enter();
    });
    void this.#enter();
  }

  protected override get unread(): number {
    return this.shown?.unread ?? 0;
  }

  protected override async followCall(consultationId: string): Promise<void> {
    await this.#visits.open(consultationId);
  }

  protected override answered(model: VisitModel): void {
    void this.attempt(() => this.openConsultation(model.view.consultationId));
  }

  protected override async openConsultation(consultationId: string): Promise<void> {
    if (!(await this.#show(consultationId))) return;
    rememberConsultation(this.participantRole, consultationId);
    this.requestUpdate();
    void this.#enter();
  }

  protected override page(): TemplateResult {
    const model = this.shown;
    if (model === null) return this.#noVisit();
    // A key of its own: what was attached in one visit must never be sent in the next.
    return html`<main>${keyed(
      model,
      html`<tele-visit
        .model=${model}
        .sdk=${this.sdk}
        .client=${this.client}
        .smallCallId=${this.smallCallId}
        .comingCallId=${this.client?.restoring?.callId ?? null}
      >
        <tele-language slot="after"></tele-language>
        <div slot="notice">
          <tele-connection .client=${this.client}></tele-connection>
          <tele-waiting-card .model=${model}></tele-waiting-card>
        </div>
      </tele-visit>`,
    )}</main>`;
  }

  #noVisit(): TemplateResult {
    const { missingLink } = this.words;
    return html`<div class="plain">
      <header class="plain-header"><span>${this.words.productName}</span><tele-language></tele-language></header>
      <tele-connection .client=${this.client}></tele-connection>
      <main><tele-message-page heading=${missingLink.title} text=${missingLink.text}>${icons.shield(44)}</tele-message-page></main>
    </div>`;
  }

  /** False: it is shown already, or another was chosen meanwhile. */
  async #show(consultationId: string): Promise<boolean> {
    this.#choices += 1;
    const choice = this.#choices;
    if (this.#shownId === consultationId) return false;
    await this.#visits.open(consultationId);
    if (choice !== this.#choices) return false;
    this.#shownId = consultationId;
    return true;
  }

  async #enter(): Promise<void> {
    const model = this.shown;
    if (model?.view.phase !== 'requested' || model.self?.role !== 'patient') return;
    await this.attempt(() => model.visit.enter());
  }
}

/** For links that name no consultation: the one that runs, or else the newest. */
async function newestOf(client: TeleconsultClient): Promise<string | null> {
  const { consultations } = await client.listConsultations({ limit: 20 });
  const chosen = consultations.find(({ phase }) => phase !== 'ended') ?? consultations[0];
  return chosen?.consultationId ?? null;
}

customElements.define('tele-app-patient', TeleAppPatient);
