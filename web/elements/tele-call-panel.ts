import { html, type TemplateResult } from 'lit';
import { clock } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import { speak } from '../state/announcer.ts';
import type { CallModel, CallStatus } from '../state/call-model.ts';
import { Follow } from '../state/follow.ts';
import { Ticker } from '../state/ticker.ts';
import { callPanel } from '../styles/call-panel.ts';
import { callPanelShapes } from '../styles/call-panel-shapes.ts';
import { common } from '../styles/common.ts';
import './tele-avatar.ts';
import './tele-call-controls.ts';
import { TeleElement } from './tele-element.ts';
import './tele-video.ts';

/** The call: the other person large, oneself small, its state in words, and the controls. */
export class TeleCallPanel extends TeleElement {
  static override properties = {
    model: { attribute: false },
    name: {},
    away: { type: Boolean },
    beside: { type: Boolean },
    compact: { type: Boolean, reflect: true },
  };
  declare model: CallModel;
  /** The other person's name. */
  declare name: string;
  /** Shown beside another person's visit, so it has to say with whom the call is. */
  declare away: boolean;
  /** It stands beside the thread, so there is nothing to make room for. */
  declare beside: boolean;
  /** A bar instead of a stage; the surrounding layout decides its height. */
  declare compact: boolean;

  #spoken: CallStatus | null = null;

  static override styles = [common, callPanel, callPanelShapes];

  constructor() {
    super();
    this.name = '';
    this.away = false;
    this.beside = false;
    this.compact = false;
    new Follow<CallModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
    new Ticker(this, { everyMs: 1000, running: () => this.model.status === 'live' });
  }

  override render() {
    const { model, words } = this;
    const { status } = model;
    return html`<section
      class="panel ${model.remoteVideo === null ? '' : 'with-video'}"
      aria-label=${words.call.label}
      data-testid="call-panel"
    >
      <header>
        <div class="who">
          <h2 tabindex="-1">${model.view.media === 'video' ? words.call.startVideo : words.call.startVoice}${this.away ? ` · ${this.name}` : null}</h2>
          <p class="state ${status}" data-testid="call-state" data-state=${status} data-media=${model.view.media}>
            ${this.#statusWords(status)}${status === 'live' ? html` <span class="clock">${clock(model.liveForMs)}</span>` : null}
          </p>
        </div>
        ${status === 'elsewhere' || this.beside ? null : this.#sizeButton()}
      </header>
      ${status === 'elsewhere' ? this.#elsewhere() : this.#stage()}
      ${status === 'elsewhere' ? this.#takeOver() : html`<tele-call-controls .model=${model}></tele-call-controls>`}
    </section>`;
  }

  protected override firstUpdated(): void {
    // The button that began the call is gone now; without this, the keyboard would start again at the top.
    if (!this.away && this.model.status !== 'elsewhere') this.renderRoot.querySelector('h2')?.focus();
  }

  protected override updated(): void {
    const { status } = this.model;
    if (status === this.#spoken) return;
    this.#spoken = status;
    speak(this.#statusWords(status));
  }

  #stage(): TemplateResult {
    const { model, words } = this;
    const { call } = words;
    const { remoteVideo, localVideo } = model;
    return html`<div class="stage">
      ${
        remoteVideo === null
          ? html`<div class="person ${model.status}"><tele-avatar name=${this.name}></tele-avatar></div>`
          : html`<tele-video class="remote" test-id="remote-video" .track=${remoteVideo} label=${call.remoteVideo(this.name)}></tele-video>`
      }
      ${
        localVideo === null
          ? null
          : html`<tele-video class="local" test-id="local-video" .track=${localVideo} label=${call.localVideo}></tele-video>`
      }
      <ul class="chips">
        ${model.otherMuted ? html`<li>${icons.microphoneOff(16)}${call.otherMuted(this.name)}</li>` : null}
        ${model.otherCameraOff ? html`<li>${icons.videoOff(16)}${call.otherCameraOff(this.name)}</li>` : null}
        ${model.call.microphoneOn ? null : html`<li>${icons.microphoneOff(16)}${call.youMuted}</li>`}
      </ul>
    </div>
    ${model.soundBlocked || model.cameraOffered ? this.#offers() : null}`;
  }

  #offers(): TemplateResult {
    const { model } = this;
    const sound = html`<button class="offer" type="button" data-testid="tap-to-hear" @click=${() => model.playSound?.()}>
      ${icons.speaker()}${this.words.call.tapToHear}
    </button>`;
    return html`<div class="offers">
      ${model.soundBlocked ? sound : null} ${model.cameraOffered ? this.#cameraOffer() : null}
    </div>`;
  }

  #sizeButton(): TemplateResult {
    const { call } = this.words;
    const hint = this.compact ? call.showCall : call.showThread;
    return html`<button
      class="size"
      type="button"
      data-testid="call-size"
      aria-label=${hint}
      title=${hint}
      @click=${() => this.tell('tele-call-size')}
    >
      ${this.compact ? icons.expand() : icons.chat()}
    </button>`;
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

  #elsewhere(): TemplateResult {
    return html`<div class="stage"><div class="person"><tele-avatar name=${this.name}></tele-avatar></div></div>`;
  }

  #takeOver(): TemplateResult {
    return html`<div class="take-over">
      <button class="offer" type="button" data-testid="call-take-over" @click=${this.#continueHere}>
        ${this.words.call.takeOver}
      </button>
    </div>`;
  }

  /** Without the camera: moving a call to this device must not show more than was asked for. */
  readonly #continueHere = (): void => {
    void this.attempt(() => this.model.call.accept({ camera: false }));
  };

  readonly #switchCameraOn = (): void => {
    this.model.answerCameraOffer();
    void this.attempt(() => this.model.call.setCamera(true), 'camera');
  };

  #statusWords(status: CallStatus): string {
    const { call } = this.words;
    const texts: Readonly<Record<CallStatus, string>> = {
      ringing: call.ringing(this.name),
      connecting: call.connecting,
      live: call.live,
      reconnecting: call.reconnecting,
      otherReconnecting: call.otherReconnecting(this.name),
      elsewhere: call.elsewhere,
      ended: call.ended,
    };
    return texts[status];
  }
}

customElements.define('tele-call-panel', TeleCallPanel);
