import type { TeleconsultClient } from '@teleconsult/client-sdk/api';
import { html, type TemplateResult } from 'lit';
import { clock, timeOfDay } from '../i18n/format.ts';
import { roomWords } from '../i18n/room.ts';
import * as icons from '../icons.ts';
import { speak } from '../state/announcer.ts';
import type { CallModel, CallStatus } from '../state/call-model.ts';
import { CallShortcuts } from '../state/call-shortcuts.ts';
import { Follow } from '../state/follow.ts';
import { listed } from '../state/names.ts';
import { Ticker } from '../state/ticker.ts';
import { callPanel } from '../styles/call-panel.ts';
import { callPanelShapes } from '../styles/call-panel-shapes.ts';
import { common } from '../styles/common.ts';
import './tele-avatar.ts';
import './tele-call-controls.ts';
import type { TeleCallControls } from './tele-call-controls.ts';
import './tele-call-dialogs.ts';
import type { CallDialogName, TeleCallDialogs } from './tele-call-dialogs.ts';
import './tele-call-stage.ts';
import { TeleElement } from './tele-element.ts';
import './tele-quality-icon.ts';
import './tele-recording-strip.ts';

/**
 * The call, large: everybody in it, its state in words, what is offered to the person, and the controls. Tells
 * `tele-call-small` when the person wants it in the small window.
 */
export class TeleCallPanel extends TeleElement {
  static override properties = {
    model: { attribute: false },
    client: { attribute: false },
    name: {},
  };
  declare model: CallModel;
  /** Lists the devices. */
  declare client: TeleconsultClient | null;
  /** The other person's name. */
  declare name: string;

  #spoken: CallStatus | null = null;
  #learnedFor: CallModel | null = null;

  static override styles = [common, callPanel, callPanelShapes];

  constructor() {
    super();
    this.client = null;
    this.name = '';
    new Follow<CallModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
    new Ticker(this, { everyMs: 1000, running: () => this.model.status === 'live' });
    new CallShortcuts(this, (key) => this.#controls?.press(key) ?? false);
  }

  override render() {
    const { model, words } = this;
    const { status } = model;
    return html`<section class="panel" aria-label=${words.call.label} data-testid="call-panel">
        <header>
          <div class="who">
            <h2 tabindex="-1">${model.view.media === 'video' ? words.call.startVideo : words.call.startVoice}</h2>
            <p class="state ${status}" data-testid="call-state" data-state=${status} data-media=${model.view.media}>
              ${this.#statusWords(status)}${status === 'live' ? html` <span class="clock">${clock(model.liveForMs)}</span>` : null}
            </p>
          </div>
          ${this.#quality()} ${this.#smallButton()}
          ${model.recording === null ? null : html`<tele-recording-strip .model=${model}></tele-recording-strip>`}
        </header>
        ${this.#stage()}
        <tele-call-controls .model=${model} @tele-call-dialog=${this.#onDialog}></tele-call-controls>
      </section>
      <tele-call-dialogs .model=${model} .client=${this.client}></tele-call-dialogs>`;
  }

  protected override firstUpdated(): void {
    // The button that began the call is gone now; without this, the keyboard would start again at the top.
    this.renderRoot.querySelector('h2')?.focus();
  }

  protected override updated(): void {
    const { status } = this.model;
    if (status === 'live') this.#learnDevices();
    if (status === this.#spoken) return;
    this.#spoken = status;
    speak(
      status === 'otherLost'
        ? `${this.#lostWords()} ${this.#statusWords(status)}`
        : this.#statusWords(status),
    );
  }

  #stage(): TemplateResult {
    const { model } = this;
    const offers = [
      ...(model.sound.isBlocked ? [this.#soundOffer()] : []),
      ...(model.call.awaiting.length > 0 ? [this.#awaitingOffer()] : []),
      ...(model.speaksWhileMuted ? [this.#mutedHint()] : []),
      ...(model.cameraOffered ? [this.#cameraOffer()] : []),
    ];
    return html`<tele-call-stage class="stage" .model=${model}></tele-call-stage>
      ${offers.length === 0 ? null : html`<div class="offers">${offers}</div>`}`;
  }

  #soundOffer(): TemplateResult {
    return html`<button class="offer" type="button" data-testid="tap-to-hear" @click=${() => this.model.sound.play?.()}>
      ${icons.speaker()}${this.words.call.tapToHear}
    </button>`;
  }

  /** The browser gives microphone and camera again only after a tap; until then the person is there, muted. */
  #awaitingOffer(): TemplateResult {
    const { awaiting } = this.model.call;
    const [first = 'microphone'] = awaiting;
    const what = awaiting.length > 1 ? 'both' : first;
    const room = roomWords();
    return html`<div class="camera-offer" role="group" aria-label=${room.awaiting[what]} data-testid="call-awaiting">
      <p>${room.awaiting[what]}</p>
      <div>
        <button class="offer" type="button" data-testid="call-go-on" @click=${this.#goOn}>
          ${first === 'camera' ? icons.video() : icons.microphone()}${room.goOnWith[what]}
        </button>
      </div>
    </div>`;
  }

  #mutedHint(): TemplateResult {
    const room = roomWords();
    const { mutedSpeaking } = this.words.call;
    return html`<div class="camera-offer" role="group" aria-label=${mutedSpeaking} data-testid="muted-hint">
      <p>${mutedSpeaking}</p>
      <div>
        <button class="offer plain" type="button" data-testid="muted-hint-no" @click=${() => this.model.dismissHint()}>
          ${room.dismissHint}
        </button>
        <button class="offer" type="button" data-testid="muted-hint-yes" @click=${this.#unmute}>
          ${icons.microphone()}${room.unmuteNow}
        </button>
      </div>
    </div>`;
  }

  #cameraOffer(): TemplateResult {
    const { model, words } = this;
    return html`<div class="camera-offer" role="group" aria-label=${words.call.cameraOffer} data-testid="camera-offer">
      <p>${words.call.cameraOffer}</p>
      <div>
        <button class="offer plain" type="button" data-testid="camera-offer-no" @click=${() => model.answerCameraOffer()}>
          ${words.call.cameraOfferNo}
        </button>
        <button class="offer" type="button" data-testid="camera-offer-yes" @click=${this.#switchCameraOn}>
          ${icons.video()}${words.call.cameraOfferYes}
        </button>
      </div>
    </div>`;
  }

  /** How good one's own connection is; a press shows why. */
  #quality(): TemplateResult | null {
    const { model } = this;
    const sample = model.call.quality.at(-1);
    if (sample === undefined) return null;
    const room = roomWords();
    const hint = room.qualityBadge(room.level[sample.level]);
    return html`<button
      class="size quality"
      type="button"
      data-testid="call-quality"
      data-level=${sample.level}
      aria-label=${hint}
      title=${hint}
      @click=${() => void this.#open('quality')}
    >
      <tele-quality-icon level=${sample.level}></tele-quality-icon>
    </button>`;
  }

  #smallButton(): TemplateResult {
    const { makeSmall } = this.words.call;
    return html`<button
      class="size"
      type="button"
      data-testid="call-small"
      aria-label=${makeSmall}
      title=${makeSmall}
      @click=${() => this.tell('tele-call-small')}
    >
      ${icons.shrink()}
    </button>`;
  }

  readonly #goOn = (): void => {
    const [first] = this.model.call.awaiting;
    void this.attempt(() => this.model.call.continueSources(), first);
  };

  readonly #switchCameraOn = (): void => {
    this.model.answerCameraOffer();
    void this.attempt(() => this.model.call.setCamera(true), 'camera');
  };

  readonly #unmute = (): void => {
    this.model.dismissHint();
    void this.attempt(() => this.model.call.setMicrophone(true), 'microphone');
  };

  readonly #onDialog = (event: CustomEvent<CallDialogName>): void => {
    event.stopPropagation();
    void this.#open(event.detail);
  };

  async #open(name: CallDialogName): Promise<void> {
    await this.renderRoot.querySelector<TeleCallDialogs>('tele-call-dialogs')?.open(name);
  }

  /** Once a call: what is plugged in when it begins, so that what comes later can be named. */
  #learnDevices(): void {
    const { model, client } = this;
    if (client === null || this.#learnedFor === model) return;
    this.#learnedFor = model;
    // Without the list, a later change is told without a name.
    client.listDevices().then(
      (devices) => model.learnDevices(devices),
      () => undefined,
    );
  }

  get #controls(): TeleCallControls | null {
    return this.renderRoot.querySelector('tele-call-controls');
  }

  #statusWords(status: CallStatus): string {
    const { call } = this.words;
    const called = this.model.people.filter(({ isSelf, presence }) => !isSelf && presence === 'ringing');
    const texts: Readonly<Record<CallStatus, string>> = {
      ringing: call.ringing(called.length > 1 ? listed(called.map(({ name }) => name)) : this.name),
      connecting: call.connecting,
      live: call.live,
      reconnecting: call.reconnecting,
      otherReconnecting: call.otherReconnecting(this.name),
      otherLost: call.otherLost(this.name),
      elsewhere: call.elsewhere,
      ended: call.ended,
    };
    return texts[status];
  }

  #lostWords(): string {
    const until = this.model.other?.returnUntil ?? null;
    return until === null ? '' : this.words.call.lostUntil(this.name, timeOfDay(until));
  }
}

customElements.define('tele-call-panel', TeleCallPanel);
