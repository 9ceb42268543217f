import type { TeleconsultClient } from '@teleconsult/client-sdk/api';
import { html, type PropertyValues, type TemplateResult } from 'lit';
import type { CallModel } from '../state/call-model.ts';
import { Follow } from '../state/follow.ts';
import type { Sdk } from '../state/sdk.ts';
import type { VisitModel } from '../state/visit-model.ts';
import { common } from '../styles/common.ts';
import { visit } from '../styles/visit.ts';
import './tele-composer.ts';
import type { TeleComposer } from './tele-composer.ts';
import './tele-dialogs.ts';
import type { DialogName, TeleDialogs } from './tele-dialogs.ts';
import { TeleElement } from './tele-element.ts';
import type { OpenPicture } from './tele-picture.ts';
import type { TelePictureViewer } from './tele-picture-viewer.ts';
import './tele-thread.ts';
import type { TeleThread } from './tele-thread.ts';
import './tele-visit-header.ts';
import './tele-visit-menu.ts';
import type { VisitAction } from './tele-visit-menu.ts';

/** Large in this visit, or held by another device. */
const fetchCall = () => Promise.all([import('./tele-call-panel.ts'), import('./tele-call-elsewhere.ts')]);

const WIDE_PX = 800;
const SEARCH_BESIDE_PX = 760;

/**
 * One consultation: header, call, thread, composer. On a wide screen the large call stands beside the thread; on a phone
 * it covers the thread. A call made small is in the window of the page instead. Slots: `before` and `after` of the
 * header, and `notice` below it.
 */
export class TeleVisit extends TeleElement {
  static override properties = {
    model: { attribute: false },
    sdk: { attribute: false },
    client: { attribute: false },
    smallCallId: { attribute: false },
    comingCallId: { attribute: false },
    isSearching: { state: true },
    isDropping: { state: true },
    isWide: { state: true },
  };
  declare model: VisitModel;
  declare sdk: Sdk;
  declare client: TeleconsultClient | null;
  /** The call that is in the small window, and so not in here. */
  declare smallCallId: string | null;
  /** The call that is being restored: whether this device holds it is not known yet. */
  declare comingCallId: string | null;
  declare private isSearching: boolean;
  declare private isDropping: boolean;
  /** Wide enough for the call beside the thread. The style sheet asks the same of the container. */
  declare private isWide: boolean;

  readonly #width = new ResizeObserver(([entry]) => {
    this.isWide = (entry?.contentRect.width ?? 0) >= WIDE_PX;
  });
  #wasLarge = false;
  #hadCall = false;

  static override styles = [common, visit];

  constructor() {
    super();
    this.client = null;
    this.smallCallId = null;
    this.comingCallId = null;
    this.isSearching = false;
    this.isDropping = false;
    this.isWide = false;
    new Follow<VisitModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#width.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#width.disconnect();
  }

  override render() {
    const { model } = this;
    const { largeCall } = this;
    return html`<button class="skip" type="button" @click=${() => this.#composer?.focusText()}>
        ${this.words.skipToMessage}
      </button>
      <tele-visit-header .model=${model}>
        <slot name="before" slot="before"></slot>
        <slot name="after" slot="after"></slot>
        <tele-visit-menu slot="after" .model=${model} @tele-action=${this.#onAction}></tele-visit-menu>
      </tele-visit-header>
      <div @tele-action=${this.#onAction}><slot name="notice"></slot></div>
      <div
        class="body ${largeCall === null ? '' : 'in-call'}"
        @dragover=${this.#onDragOver}
        @dragleave=${this.#onDragLeave}
        @drop=${this.#onDrop}
        @tele-open-picture=${this.#onOpenPicture}
        @tele-action=${this.#onAction}
      >
        ${largeCall === null ? this.#elsewhere() : this.#panel(largeCall)}
        <div class="conversation ${this.isSearching ? 'searching' : ''}" ?inert=${largeCall !== null && !this.isWide}>
          <tele-thread .model=${model}></tele-thread>
          ${this.isSearching ? this.#search() : null}
          ${model.view.phase === 'ended' || model.isOut ? this.#over() : html`<tele-composer .model=${model} .sdk=${this.sdk}></tele-composer>`}
          ${this.isDropping ? html`<div class="drop">${this.words.composer.drop}</div>` : null}
        </div>
      </div>
      <tele-dialogs .client=${this.client} .model=${model}></tele-dialogs>
      <tele-picture-viewer .blobs=${model.blobs}></tele-picture-viewer>`;
  }

  protected override firstUpdated(): void {
    // Ahead of the first call, so that none has to wait for it; the page is there without.
    if (this.model.view.phase !== 'ended') void this.fetched(fetchCall);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('model')) {
      this.isSearching = false;
      this.#lookForRecords();
      this.#lookForPhone();
    }
    const isLarge = this.largeCall !== null;
    // A follow-up calls in a visit that has ended.
    const hasCall = this.model.call?.isOngoing === true;
    if (hasCall && !this.#hadCall) void this.fetched(fetchCall);
    this.#hadCall = hasCall;
    // The panel took the focus with it. The thread gets it, not the text: that would open a phone's keyboard.
    if (this.#wasLarge && !isLarge && !this.matches(':focus-within')) this.#thread?.focusScroller();
    this.#wasLarge = isLarge;
  }

  /** What an interrupted dictation or a follow-up offers has to be there without asking. It is not missed where it fails. */
  #lookForRecords(): void {
    const { kind, phase } = this.model.view;
    if (kind === 'visit' && (phase === 'active' || phase === 'ended'))
      void this.model.openRecords().catch(() => undefined);
  }

  /** Whether the menu has masked calls. Only patient and doctor of a visit may ask. */
  #lookForPhone(): void {
    const { view, self, isGuest, phone } = this.model;
    if (view.kind === 'visit' && self !== undefined && !isGuest) void phone.open().catch(() => undefined);
  }

  /** The call to show large; null: there is none, another device holds it, or it is small. */
  private get largeCall(): CallModel | null {
    const { call } = this.model;
    if (call?.isOngoing !== true || call.status === 'elsewhere') return null;
    return call.call.id === this.smallCallId ? null : call;
  }

  #panel(call: CallModel): TemplateResult {
    return html`<tele-call-panel
      .model=${call}
      .client=${this.client}
      name=${this.model.other?.displayName ?? ''}
    ></tele-call-panel>`;
  }

  #elsewhere(): TemplateResult | null {
    const { call } = this.model;
    if (call?.isOngoing !== true || call.status !== 'elsewhere') return null;
    if (call.call.id === this.comingCallId) return null;
    return html`<tele-call-elsewhere .model=${call}></tele-call-elsewhere>`;
  }

  #over(): TemplateResult {
    const { endReason, declineReason } = this.model.view;
    if (this.model.isOut)
      return html`<div class="over" data-testid="out"><strong>${this.words.people.removed}</strong></div>`;
    return html`<div class="over" data-testid="ended">
      <strong>${endReason === null ? this.words.phase.ended : this.words.ended[endReason]}</strong>
      ${
        declineReason !== null && this.model.self?.role === 'patient'
          ? html`<p class="advice ${declineReason}" role=${declineReason === 'emergency' ? 'alert' : 'note'} data-testid="decline-advice" data-reason=${declineReason}>
              ${this.words.decline.advice[declineReason]}
            </p>`
          : null
      }
      ${this.words.endedReadOnly}
    </div>`;
  }

  #search(): TemplateResult {
    return html`<tele-search
      .model=${this.model}
      @tele-jump=${this.#onFound}
      @tele-close=${() => {
        this.isSearching = false;
      }}
    ></tele-search>`;
  }

  readonly #onAction = (event: CustomEvent<VisitAction>): void => {
    const action = event.detail;
    if (action === 'search') void this.#openSearch();
    else if (action === 'toBeginning') void this.#thread?.toBeginning();
    else void this.open(action);
  };

  async open(dialog: DialogName): Promise<void> {
    await this.renderRoot.querySelector<TeleDialogs>('tele-dialogs')?.open(dialog);
  }

  async #openSearch(): Promise<void> {
    if (await this.fetched(() => import('./tele-search.ts'))) this.isSearching = true;
  }

  readonly #onFound = (event: CustomEvent<number>): void => {
    // Beside the thread it stays; over the thread it would hide what was found.
    if (!this.isSearchBeside) this.isSearching = false;
    void this.#thread?.jumpTo(event.detail);
    this.#thread?.focusScroller();
  };

  /** As the style sheet asks the width of the conversation. */
  private get isSearchBeside(): boolean {
    return (this.renderRoot.querySelector('.conversation')?.clientWidth ?? 0) >= SEARCH_BESIDE_PX;
  }

  get #thread(): TeleThread | null {
    return this.renderRoot.querySelector('tele-thread');
  }

  get #composer(): TeleComposer | null {
    return this.renderRoot.querySelector('tele-composer');
  }

  async #openPicture(picture: OpenPicture): Promise<void> {
    if (!(await this.fetched(() => import('./tele-picture-viewer.ts')))) return;
    await this.renderRoot.querySelector<TelePictureViewer>('tele-picture-viewer')?.open(picture);
  }

  readonly #onOpenPicture = (event: CustomEvent<OpenPicture>): void => {
    void this.#openPicture(event.detail);
  };

  readonly #onDragOver = (event: DragEvent): void => {
    if (this.#composer === null || !event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    this.isDropping = true;
  };

  readonly #onDragLeave = (event: DragEvent): void => {
    const { relatedTarget, currentTarget } = event;
    const stays =
      relatedTarget instanceof Node && currentTarget instanceof Node && currentTarget.contains(relatedTarget);
    if (!stays) this.isDropping = false;
  };

  readonly #onDrop = (event: DragEvent): void => {
    this.isDropping = false;
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    this.#composer?.add(files, 'either');
  };
}

customElements.define('tele-visit', TeleVisit);
