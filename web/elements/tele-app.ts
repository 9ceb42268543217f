import type { Call, TeleconsultClient } from '@teleconsult/client-sdk/api';
import type { FloatingCall, FloatingCallEventMap } from '@teleconsult/client-sdk/ui';
import type { ParticipantRole } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { html, type PropertyDeclarations, type PropertyValues, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import { language } from '../i18n/language.ts';
import * as icons from '../icons.ts';
import type { CallModel } from '../state/call-model.ts';
import { isInVisit } from '../state/call-place.ts';
import { ringingCall } from '../state/call-ringing.ts';
import { CallSound } from '../state/call-sound.ts';
import { type Credentials, takeCredentials } from '../state/credentials.ts';
import { fetchFloatingCall } from '../state/floating-call.ts';
import { keptInvitation } from '../state/invitation-link.ts';
import { failure, type Notice, noticeOf } from '../state/notice.ts';
import type { DialogOpening } from '../state/open-dialog.ts';
import { followWorker } from '../state/push.ts';
import type { Sdk } from '../state/sdk.ts';
import { VisitModel } from '../state/visit-model.ts';
import './tele-incoming-call.ts';
import './tele-not-ready.ts';
import type { WaitingStage } from './tele-not-ready.ts';
import './tele-recorded.ts';
import './tele-remote-audio.ts';
import { TeleElement } from './tele-element.ts';
import './tele-toasts.ts';
import type { TeleToasts } from './tele-toasts.ts';
import type { TeleVisit } from './tele-visit.ts';

export type Stage = WaitingStage | { readonly name: 'ready' };

/** Narrower, the small window is a box in the page: a phone's own picture window hides hanging up. */
const WINDOW_MIN_PX = 821;

/**
 * What the two pages have in common: the link, the client, notices, the ringing call, and the one call of this device.
 * That call is large in its visit or in the small window, never in both; the window and the sound stand beside the
 * views, so nothing the person does in the page ends or interrupts it.
 */
export abstract class TeleApp extends TeleElement {
  static override properties: PropertyDeclarations = {
    sdk: { attribute: false },
    stage: { state: true },
    invitation: { state: true },
    canShowInvitation: { state: true },
    smallCallId: { state: true },
    canFloat: { state: true },
  };
  declare sdk: Sdk | null;
  declare protected stage: Stage;
  /** The code of an invitation that waits for an answer. */
  declare protected invitation: string | null;
  declare private canShowInvitation: boolean;
  /** The call that the person made small, or that was restored and not yet made large. */
  declare protected smallCallId: string | null;
  /** The code of the small window is here. */
  declare private canFloat: boolean;

  protected client: TeleconsultClient | null = null;
  #credentials: Credentials | null = null;
  #stops: readonly (() => void)[] = [];
  readonly #sound = new CallSound();
  /** The visit that is to be shown once the page is ready, because the person wanted its call large. */
  #wanted: string | null = null;
  #isInVisit = false;
  #restored: Call | null = null;
  /** Of the call that this device is in, or was in last. */
  #callVisitId: string | null = null;

  protected abstract readonly participantRole: ParticipantRole;
  /** Opens what the link names; the client is connected. */
  protected abstract begin(client: TeleconsultClient, credentials: Credentials): Promise<void>;
  protected abstract page(): TemplateResult;
  protected abstract get models(): readonly VisitModel[];
  protected abstract get pageTitle(): string;
  /** Messages of others that wait to be read, over all consultations of this page. */
  protected abstract get unread(): number;
  /** The visit that is on the screen. */
  protected abstract get shown(): VisitModel | null;
  /** Follows the consultation of the call, shown or not. */
  protected abstract followCall(consultationId: string): Promise<void>;
  /** Shows a consultation: a notice of it was pressed, an invitation to it accepted, its call is to be large. */
  protected abstract openConsultation(consultationId: string): Promise<void>;

  constructor() {
    super();
    this.sdk = null;
    this.stage = { name: 'loading' };
    this.invitation = null;
    this.canShowInvitation = false;
    this.smallCallId = null;
    this.canFloat = false;
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
    this.#isInVisit = isInVisit({
      call: this.client?.activeCall ?? null,
      isRestoring: this.client?.restoring != null,
      shownId: this.stage.name === 'ready' ? (this.shown?.view.consultationId ?? null) : null,
      showsElsewhere: this.shown?.call?.status === 'elsewhere',
      smallCallId: this.smallCallId,
      wasInVisit: this.#isInVisit,
    });
  }

  override render() {
    const { stage } = this;
    return html`<div
      class="app"
      @tele-notice=${(event: CustomEvent<Notice>) => this.show(event.detail)}
      @tele-answered=${this.#onAnswered}
      @tele-call-small=${() => void this.#makeSmall()}
      @tele-dialog-opening=${this.#onDialog}
      @tele-show-notes=${this.#onShowNotes}
    >
      <tele-recorded .models=${[...this.models]} .shown=${this.shown} .isLarge=${this.#isInVisit}></tele-recorded>
      ${stage.name === 'ready' ? this.page() : this.#waiting(stage)} ${this.#ringing()} ${stage.name === 'ready' ? this.#invited() : null}
      <tele-remote-audio .call=${this.client?.activeCall ?? null} .sound=${this.#sound}></tele-remote-audio>
      ${this.#hear()} ${this.#floating()}
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
      deviceId: this.client.deviceId,
      onNotice: (notice) => this.show(notice),
      sound: this.#sound,
      isCallSmall: () => this.#isSmall && this.#callVisitId === consultationId,
      isConnected: () => this.client?.connection === 'connected',
      openRecords: async () => {
        if (this.sdk === null || this.client === null) throw new AppError('DISCONNECTED');
        return this.sdk.openRecords(this.client, consultationId);
      },
      openPhone: async () => {
        if (this.sdk === null || this.client === null) throw new AppError('DISCONNECTED');
        return this.sdk.openPhone(this.client, consultationId);
      },
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
      client.on('restoring', (found) => {
        this.requestUpdate();
        if (found !== null) this.#letFloat(found.callId);
      }),
      client.on('activeCall', (call) => this.#onActiveCall(call)),
      this.#sound.changes.subscribe(() => this.requestUpdate()),
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
    // Ahead of lists and threads: whoever was in a call is back in it as soon as there is a connection.
    void this.#restore(client);
    try {
      await client.connect();
      await this.begin(client, this.#credentials);
      if (this.#wanted !== null) await this.openConsultation(this.#wanted);
      this.#wanted = null;
      this.stage = { name: 'ready' };
    } catch (error) {
      noticeOf(error);
      this.stage = { name: 'failed', error: error instanceof AppError ? error : new AppError('INTERNAL') };
    }
  }

  async #restore(client: TeleconsultClient): Promise<void> {
    try {
      // That it is over meanwhile is told by the small window and by the thread.
      if ((await client.restoreCall()) === null) this.smallCallId = null;
    } catch (error) {
      const notice = noticeOf(error);
      // Why there is no connection is told by the page itself.
      if (client.connection === 'connected' && notice !== null) this.show(notice);
    }
  }

  #onActiveCall(call: Call | null): void {
    this.requestUpdate();
    if (call === null) return;
    this.#callVisitId = call.view.consultationId;
    // Found once: taken back from another device it is where the person took it.
    if (call.isRestored && call !== this.#restored) this.#letFloat(call.id);
    else void this.#fetchFloating();
    if (call.isRestored) this.#restored = call;
    void this.attempt(() => this.followCall(call.view.consultationId));
  }

  /** Small until the person makes it large; large when the code of the small window cannot be had. */
  #letFloat(callId: string): void {
    this.smallCallId = callId;
    void this.#fetchFloating().then((canFloat) => {
      if (!canFloat) this.smallCallId = null;
    });
  }

  async #fetchFloating(): Promise<boolean> {
    this.canFloat ||= await this.fetched(fetchFloatingCall);
    return this.canFloat;
  }

  /** From a click, so that the browser allows a window above all others. `#onForm` hears that it is small now. */
  async #makeSmall(): Promise<void> {
    if (!(await this.#fetchFloating())) return;
    await this.updateComplete;
    await this.attempt(async () => this.#window?.float(innerWidth < WINDOW_MIN_PX ? 'page' : undefined));
  }

  /** The small window is to be seen, and says what there is to say. */
  get #isSmall(): boolean {
    const state = this.#window?.state ?? 'none';
    return state !== 'none' && state !== 'expanded';
  }

  get #window(): FloatingCall | null {
    return this.renderRoot.querySelector<FloatingCall>('teleconsult-floating-call');
  }

  /** The visit of the call of this device, as soon as it is followed. */
  get #callVisit(): VisitModel | undefined {
    const consultationId = this.client?.activeCall?.view.consultationId;
    return this.models.find(({ view }) => view.consultationId === consultationId);
  }

  #floating(): TemplateResult | null {
    if (!this.canFloat) return null;
    const visit = this.#callVisit;
    // The sound is played by this page, whose call sheet also chooses the speaker.
    return html`<teleconsult-floating-call
      silent
      lang=${language()}
      .client=${this.client}
      .expanded=${live(this.#isInVisit)}
      .nameOf=${visit?.namer ?? null}
      .unread=${visit?.unread ?? 0}
      @teleconsult-expand=${this.#onExpand}
      @teleconsult-form=${this.#onForm}
    ></teleconsult-floating-call>`;
  }

  readonly #onShowNotes = ({ detail }: CustomEvent<string>): void => {
    void this.attempt(async () => {
      await this.openConsultation(detail);
      await this.updateComplete;
      await this.renderRoot.querySelector<TeleVisit>('tele-visit')?.open('notes');
    });
  };

  /** The large call offers it itself. */
  #hear(): TemplateResult | null {
    if (!this.#sound.isBlocked || this.#isInVisit) return null;
    return html`<button class="hear" type="button" data-testid="tap-to-hear" @click=${() => this.#sound.play?.()}>
      ${icons.speaker()}${this.words.call.tapToHear}
    </button>`;
  }

  /** A modal dialog would take the box of the call away; the other forms are windows of their own. */
  readonly #onDialog = ({ detail }: CustomEvent<DialogOpening>): void => {
    if (this.#window?.state === 'page') detail.isModal = false;
  };

  /** Made small by a press, or by the browser because the person left the tab. */
  readonly #onForm = (): void => {
    if (this.#isSmall && this.#isInVisit) this.smallCallId = this.client?.activeCall?.id ?? null;
  };

  readonly #onExpand = ({ detail }: FloatingCallEventMap['teleconsult-expand']): void => {
    this.smallCallId = null;
    if (this.stage.name === 'ready') void this.attempt(() => this.openConsultation(detail.consultationId));
    else this.#wanted = detail.consultationId;
  };

  #waiting(stage: WaitingStage): TemplateResult {
    return html`<tele-not-ready
      .stage=${stage}
      .client=${this.client}
      .isInvited=${this.invitation !== null}
      @tele-retry=${() => void this.#open()}
    ></tele-not-ready>`;
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

  /** What waits is kept over a reload, but an upload stands still while no page is open, and a dictation is interrupted. */
  readonly #onLeave = (event: BeforeUnloadEvent): void => {
    const isSending = this.models.some(
      ({ visit, isDictating }) => isDictating || visit.outbox.some(({ state }) => state === 'uploading'),
    );
    if (isSending) event.preventDefault();
  };
}
