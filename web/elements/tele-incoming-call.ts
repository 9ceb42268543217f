import { css, html } from 'lit';
import * as icons from '../icons.ts';
import type { CallModel } from '../state/call-model.ts';
import { Follow } from '../state/follow.ts';
import { RingTone } from '../state/ring-tone.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import './tele-avatar.ts';
import { TeleElement } from './tele-element.ts';

/** Rings: a dialog above everything, a soft tone, vibration. It is gone once the call moves on. */
export class TeleIncomingCall extends TeleElement {
  static override properties = {
    model: { attribute: false },
    name: {},
    isAnswering: { state: true },
  };
  declare model: CallModel;
  declare name: string;
  declare private isAnswering: boolean;

  readonly #tone = new RingTone();

  static override styles = [
    common,
    buttons,
    css`
      dialog {
        width: min(360px, calc(100vw - 32px));
        padding: 32px 24px 28px;
        border: 0;
        border-radius: 28px;
        background: var(--stage);
        color: var(--stage-text);
        box-shadow: var(--shadow-2);
        text-align: center;
      }
      dialog::backdrop {
        background: var(--scrim);
      }
      .ring {
        position: relative;
        display: inline-grid;
        margin-bottom: 18px;
        border-radius: 50%;
      }
      .ring::before {
        content: '';
        position: absolute;
        inset: 0;
        border-radius: 50%;
        box-shadow: 0 0 0 2px #5cc8c4;
        animation: ring 1.8s ease-out infinite;
      }
      tele-avatar {
        --size: 96px;
      }
      h2 {
        font-size: 1.375rem;
        line-height: 1.3;
        overflow-wrap: anywhere;
      }
      p {
        display: inline-flex;
        align-items: center;
        gap: 8px;
        margin-top: 6px;
        color: var(--stage-text-2);
      }
      .choices {
        display: flex;
        justify-content: center;
        gap: 22px;
        margin-top: 30px;
      }
      .choice {
        display: grid;
        flex: 1 1 0;
        max-width: 96px;
        align-content: start;
        justify-items: center;
        gap: 8px;
        min-height: 92px;
        padding: 0;
        border: 0;
        border-radius: 16px;
        background: none;
        color: var(--stage-text);
        font-size: 0.8125rem;
        font-weight: 500;
      }
      .choice:hover:not(:disabled) {
        background: none;
      }
      .choice span {
        display: grid;
        place-items: center;
        width: 64px;
        height: 64px;
        border-radius: 50%;
        background: var(--stage-3);
        color: #fff;
        transition: filter 120ms;
      }
      .choice:hover span {
        filter: brightness(1.12);
      }
      .accept span {
        background: #1b7f4b;
      }
      .decline span {
        background: #c5352b;
      }
      .choice:focus-visible {
        outline: none;
      }
      .choice:focus-visible span {
        outline: 3px solid #8ab8ff;
        outline-offset: 3px;
      }
      @keyframes ring {
        to {
          opacity: 0;
          transform: scale(1.45);
        }
      }
      @media (prefers-reduced-motion: reduce) {
        .ring::before {
          animation: none;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.name = '';
    this.isAnswering = false;
    new Follow<CallModel>(this, {
      subject: () => this.model,
      subscribe: (model, update) => [model.changes.subscribe(update)],
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#tone.stop();
  }

  protected override firstUpdated(): void {
    this.#dialog?.showModal();
    this.#tone.start();
  }

  override render() {
    const { call } = this.words;
    const { media } = this.model.view;
    return html`<dialog
      role="alertdialog"
      aria-labelledby="who"
      aria-describedby="what"
      data-testid="incoming-call"
      @cancel=${(event: Event) => event.preventDefault()}
      @close=${this.#onClose}
    >
      <div class="ring"><tele-avatar name=${this.name}></tele-avatar></div>
      <h2 id="who">${this.name}</h2>
      <p id="what">${media === 'video' ? icons.video(20) : icons.phone(20)}${call.incoming[media]}</p>
      <div class="choices">
        <button class="choice decline" type="button" data-testid="call-decline" ?disabled=${this.isAnswering} @click=${this.#decline}>
          <span>${icons.hangUp(28)}</span>${call.decline}
        </button>
        ${
          media === 'video'
            ? html`<button
                class="choice"
                type="button"
                data-testid="call-accept-voice"
                title=${call.acceptVoiceHint}
                ?disabled=${this.isAnswering}
                @click=${() => void this.#accept(false)}
              >
                <span>${icons.videoOff(28)}</span>${call.acceptVoice}
              </button>`
            : null
        }
        <button
          class="choice accept"
          type="button"
          autofocus
          data-testid="call-accept"
          ?disabled=${this.isAnswering}
          @click=${() => void this.#accept(true)}
        >
          <span>${media === 'video' ? icons.video(28) : icons.phone(28)}</span>${call.accept}
        </button>
      </div>
    </dialog>`;
  }

  async #accept(camera: boolean): Promise<void> {
    if (this.isAnswering) return;
    this.isAnswering = true;
    this.#tone.stop();
    this.tell('tele-answered');
    await this.attempt(() => this.model.call.accept({ camera }));
    this.isAnswering = false;
  }

  readonly #decline = (): void => {
    this.isAnswering = true;
    this.#tone.stop();
    void this.attempt(() => this.model.call.decline()).then(() => {
      this.isAnswering = false;
    });
  };

  /** Browsers close a dialog at the second Escape whatever `cancel` says; a ringing call must stay in sight. */
  readonly #onClose = (): void => {
    if (this.isConnected && this.model.rings) this.#dialog?.showModal();
  };

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }
}

customElements.define('tele-incoming-call', TeleIncomingCall);
