import type { TeleconsultClient } from '@teleconsult/client-sdk/api';
import type { ParticipantRole } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { html, type TemplateResult } from 'lit';
import * as icons from '../icons.ts';
import { type Credentials, rememberConsultation } from '../state/credentials.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { app } from '../styles/app.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleApp } from './tele-app.ts';
import './tele-visit.ts';
import './tele-waiting-card.ts';

/** The patient's page: one consultation, from the waiting room to its end. */
export class TeleAppPatient extends TeleApp {
  protected readonly participantRole: ParticipantRole = 'patient';
  #model: VisitModel | null = null;

  static override styles = [common, buttons, app];

  protected override get models(): readonly VisitModel[] {
    return this.#model === null ? [] : [this.#model];
  }

  protected override get pageTitle(): string {
    const doctor = this.#model?.other?.displayName;
    return doctor === undefined ? this.words.productName : `${doctor} · ${this.words.productName}`;
  }

  protected override async begin(client: TeleconsultClient, credentials: Credentials): Promise<void> {
    const consultationId = credentials.consultationId ?? (await newestOf(client));
    // A guest may have nothing yet but an invitation.
    if (consultationId === null && this.invitation === null) throw new AppError('NOT_FOUND');
    if (consultationId !== null) this.#model = await this.follow(consultationId);
    // A lost answer is asked again with the next connection; entering twice changes nothing.
    client.on('connection', ({ state }) => {
      if (state === 'connected') void this.#enter();
    });
    void this.#enter();
  }

  protected override get unread(): number {
    return this.#model?.unread ?? 0;
  }

  protected override async openConsultation(consultationId: string): Promise<void> {
    const before = this.#model;
    if (before?.view.consultationId === consultationId) return;
    this.#model = await this.follow(consultationId);
    rememberConsultation(this.participantRole, consultationId);
    this.requestUpdate();
    void this.#enter();
    await before?.close();
  }

  protected override page(): TemplateResult {
    const model = this.#model;
    if (model === null) return this.#noVisit();
    return html`<main>
      <tele-visit .model=${model} .sdk=${this.sdk} .client=${this.client}>
        <tele-language slot="after"></tele-language>
        <div slot="notice">
          <tele-connection .client=${this.client}></tele-connection>
          <tele-waiting-card .model=${model}></tele-waiting-card>
        </div>
      </tele-visit>
    </main>`;
  }

  #noVisit(): TemplateResult {
    const { missingLink } = this.words;
    return html`<div class="plain">
      <header class="plain-header"><span>${this.words.productName}</span><tele-language></tele-language></header>
      <tele-connection .client=${this.client}></tele-connection>
      <main><tele-message-page heading=${missingLink.title} text=${missingLink.text}>${icons.shield(44)}</tele-message-page></main>
    </div>`;
  }

  async #enter(): Promise<void> {
    const model = this.#model;
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
