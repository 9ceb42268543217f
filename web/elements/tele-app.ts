import type { TeleconsultClient } from '@teleconsult/client-sdk/api';
import type { ParticipantRole } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { html, type PropertyDeclarations, type PropertyValues, type TemplateResult } from 'lit';
import * as icons from '../icons.ts';
import type { CallModel } from '../state/call-model.ts';
import { ringingCall } from '../state/call-ringing.ts';
import { type Credentials, takeCredentials } from '../state/credentials.ts';
import { keptInvitation } from '../state/invitation-link.ts';
import { failure, type Notice, noticeOf } from '../state/notice.ts';
import { followWorker } from '../state/push.ts';
import type { Sdk } from '../state/sdk.ts';
import { VisitModel } from '../state/visit-model.ts';
import './tele-connection.ts';
import './tele-incoming-call.ts';
import './tele-language.ts';
import './tele-message-page.ts';
import './tele-remote-audio.ts';
import { TeleElement } from './tele-element.ts';
import './tele-toasts.ts';
import type { TeleToasts } from './tele-toasts.ts';

export type Stage =
  | { readonly name: 'missingLink' }
  | { readonly name: 'loading' }
  | { readonly name: 'failed'; readonly error: AppError }
  | { readonly name: 'ready' };

/** What the two pages have in common: the link, the client, notices, the ringing call and its sound. */
export abstract class TeleApp extends TeleElement {
  static override properties: PropertyDeclarations = {
    sdk: { attribute: false },
    stage: { state: true },
    invitation: { state: true },
    canShowInvitation: { state: true },
  };
  declare sdk: Sdk | null;
  declare protected stage: Stage;
  /** The code of an invitation that waits for an answer. */
  declare protected invitation: string | null;
  declare private canShowInvitation: boolean;

  protected client: TeleconsultClient | null = null;
  #credentials: Credentials | null = null;
  #stops: readonly (() => void)[] = [];

  protected abstract readonly participantRole: ParticipantRole;
  /** Opens what the link names; the client is connected. */
  protected abstract begin(client: TeleconsultClient, credentials: Credentials): Promise<void>;
  protected abstract page(): TemplateResult;
  protected abstract get models(): readonly VisitModel[];
  protected abstract get pageTitle(): string;
  /** Messages of others that wait to be read, over all consultations of this page. */
  protected abstract get unread(): number;
  /** Shows a consultation, because a notice of it was pressed or an invitation to it accepted. */
  protected abstract openConsultation(consultationId: string): Promise<void>;

  constructor() {
    super();
    this.sdk = null;
    this.stage = { name: 'loading' };
    this.invitation = null;
    this.canShowInvitation = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('beforeunload', this.#onLeave);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener('beforeunload', this.#onLeave);
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('sdk') && this.sdk !== null && this.client === null) this.#start(this.sdk);
  }

  override render() {
    const { stage } = this;
    return html`<div class="app" @tele-notice=${(event: CustomEvent<Notice>) => this.show(event.detail)} @tele-answered=${this.#onAnswered}>
      ${stage.name === 'ready' ? this.page() : this.#notReady(stage)} ${this.#ringing()} ${stage.name === 'ready' ? this.#invited() : null}
      <tele-remote-audio .model=${this.ongoing?.call ?? null}></tele-remote-audio>
      <tele-toasts></tele-toasts>
    </div>`;
  }

  protected override updated(): void {
    const ringing = this.ringing;
    const name = ringing?.other?.displayName;
    const title = this.unread === 0 ? this.pageTitle : `(${this.unread}) ${this.pageTitle}`;
    document.title = name === undefined ? title : this.words.call.incomingTitle(name);
  }

  /** The visit whose call this device is in. */
  protected get ongoing(): VisitModel | undefined {
    return this.models.find(({ call }) => call?.isOngoing);
  }

  protected get ringing(): VisitModel | undefined {
    return this.models.find(({ call }) => call?.rings);
  }

  /** The person answered the call of this visit. */
  protected answered(_model: VisitModel): void {}

  protected async follow(consultationId: string): Promise<VisitModel> {
    if (this.client === null) throw new AppError('DISCONNECTED');
    const visit = await this.client.open(consultationId);
    const model = new VisitModel({
      visit,
      role: this.participantRole,
      personId: this.client.personId,
      onNotice: (notice) => this.show(notice),
      isConnected: () => this.client?.connection === 'connected',
    });
    model.changes.subscribe(() => this.requestUpdate());
    return model;
  }

  protected show(notice: Notice): void {
    this.renderRoot.querySelector<TeleToasts>('tele-toasts')?.show(notice);
  }

  #start(sdk: Sdk): void {
    this.#credentials = takeCredentials(this.participantRole);
    this.invitation = keptInvitation();
    if (this.invitation !== null) void this.#loadInvitation();
    if (this.#credentials === null) {
      this.stage = { name: 'missingLink' };
      return;
    }
    const client = sdk.createTeleconsultClient({ url: location.origin, token: this.#credentials.token });
    this.client = client;
    this.#stops = [
      // What waits in the outbox reads differently without a connection.
      client.on('connection', () => {
        for (const model of this.models) model.changes.announce();
      }),
      client.on('storageFailed', () => this.show(failure(this.words.connection.notKept))),
      followWorker(client, (consultationId) => {
        if (this.stage.name === 'ready') void this.attempt(() => this.openConsultation(consultationId));
      }),
    ];
    void this.#open();
  }

  async #open(): Promise<void> {
    const { client } = this;
    if (client === null || this.#credentials === null) return;
    this.stage = { name: 'loading' };
    try {
      await client.connect();
      await this.begin(client, this.#credentials);
      this.stage = { name: 'ready' };
    } catch (error) {
      noticeOf(error);
      this.stage = { name: 'failed', error: error instanceof AppError ? error : new AppError('INTERNAL') };
    }
  }

  #notReady(stage: Exclude<Stage, { name: 'ready' }>): TemplateResult {
    const words = this.words;
    return html`<div class="plain">
      <header class="plain-header"><span>${words.productName}</span><tele-language></tele-language></header>
      ${this.client === null ? null : html`<tele-connection class=${stage.name === 'failed' ? 'visually-hidden' : ''} .client=${this.client}></tele-connection>`}
      <main>${this.#notReadyText(stage)}</main>
    </div>`;
  }

  #notReadyText(stage: Exclude<Stage, { name: 'ready' }>): TemplateResult {
    const { missingLink, notFound, errors, loading } = this.words;
    if (stage.name === 'missingLink' && this.invitation !== null)
      return html`<tele-message-page data-testid="missing-link" heading=${this.words.invite.signInTitle} text=${this.words.invite.signIn}>
        ${icons.invite(44)}
      </tele-message-page>`;
    if (stage.name === 'missingLink')
      return html`<tele-message-page data-testid="missing-link" heading=${missingLink.title} text=${missingLink.text}>
        ${icons.shield(44)}
      </tele-message-page>`;
    if (stage.name === 'loading')
      return html`<h1 class="visually-hidden">${this.words.productName}</h1>
        <div class="loading" role="status"><span class="spinner"></span>${loading}</div>`;
    const { code, retryable, requestId } = stage.error;
    const isUnknown = code === 'NOT_FOUND' || code === 'FORBIDDEN' || code === 'INVALID';
    return html`<div class="failed">
      <tele-message-page
        data-testid="failed"
        heading=${isUnknown ? notFound.title : this.words.connection.closed}
        text=${isUnknown ? notFound.text : errors[code]}
      >
        ${icons.alert(44)}
      </tele-message-page>
      ${requestId === undefined ? null : html`<small>${this.words.requestId(requestId)}</small>`}
      ${retryable ? html`<button class="primary" type="button" @click=${() => void this.#open()}>${this.words.retry}</button>` : null}
    </div>`;
  }

  #ringing(): TemplateResult | null {
    const calls = this.models.flatMap((visit) => {
      const { call } = visit;
      return call?.rings ? [ringingCall({ visit, call })] : [];
    });
    if (calls.length === 0) return null;
    const present = this.ongoing;
    return html`<tele-incoming-call
      .calls=${calls}
      .present=${present === undefined ? null : (present.other?.displayName ?? '')}
    ></tele-incoming-call>`;
  }

  /** Most pages are opened without one, so its code is fetched when it is needed. */
  async #loadInvitation(): Promise<void> {
    try {
      await import('./tele-invitation.ts');
      this.canShowInvitation = true;
    } catch {
      this.show(failure(this.words.errors.DISCONNECTED));
    }
  }

  #invited(): TemplateResult | null {
    if (this.invitation === null || !this.canShowInvitation) return null;
    return html`<tele-invitation
      .client=${this.client}
      .code=${this.invitation}
      @tele-redeemed=${(event: CustomEvent<string>) => void this.attempt(() => this.openConsultation(event.detail))}
      @tele-close=${() => {
        this.invitation = null;
      }}
    ></tele-invitation>`;
  }

  readonly #onAnswered = (event: CustomEvent<CallModel>): void => {
    const model = this.models.find(({ call }) => call === event.detail);
    if (model !== undefined) this.answered(model);
  };

  /** What waits is kept over a reload, but an upload stands still while no page is open. */
  readonly #onLeave = (event: BeforeUnloadEvent): void => {
    const isSending = this.models.some(({ visit }) =>
      visit.outbox.some(({ state }) => state === 'uploading'),
    );
    if (isSending) event.preventDefault();
  };
}
