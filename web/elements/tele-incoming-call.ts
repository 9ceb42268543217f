import type { Call } from '@teleconsult/client-sdk/api';
import { css, html, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import * as icons from '../icons.ts';
import { speak } from '../state/announcer.ts';
import type { RingingCall } from '../state/call-ringing.ts';
import { RingTone } from '../state/ring-tone.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import './tele-avatar.ts';
import { TeleElement } from './tele-element.ts';

/**
 * Rings: a dialog above everything, a soft tone, vibration. While the person is in another call it is a card that leaves
 * the page usable, and answering leaves that call. It is gone once the calls move on.
 */
export class TeleIncomingCall extends TeleElement {
  static override properties = {
    calls: { attribute: false },
    present: { attribute: false },
    isAnswering: { state: true },
  };
  /** All that ring, at least one. */
  declare calls: readonly RingingCall[];
  /** With whom the person is in a call now; null: with nobody. */
  declare present: string | null;
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
      dialog.waiting {
        position: fixed;
        z-index: 20;
        inset: calc(12px + env(safe-area-inset-top)) 12px auto;
        width: auto;
        max-width: 500px;
        padding: 14px 16px;
        border: 1px solid var(--stage-3);
        border-radius: 20px;
        text-align: start;
      }
      .calls {
        display: grid;
        gap: 28px;
      }
      .waiting .calls {
        gap: 14px;
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
      .about {
        display: block;
        margin-top: 2px;
        font-size: 0.875rem;
      }
      .waiting .ring,
      .many .ring {
        display: none;
      }
      .waiting h2,
      .many h2 {
        font-size: 1.0625rem;
      }
      .waiting .choices {
        flex-wrap: wrap;
        gap: 8px;
        margin-top: 12px;
      }
      .waiting .choice {
        display: inline-flex;
        flex: 1 1 auto;
        align-items: center;
        justify-content: center;
        max-width: none;
        min-height: 48px;
        padding: 4px 12px;
        border-radius: 999px;
        background: var(--stage-3);
        font-size: 0.875rem;
        font-weight: 600;
      }
      .waiting .choice span {
        display: contents;
      }
      .waiting .accept {
        background: #1b7f4b;
        color: #fff;
      }
      .waiting .accept:hover:not(:disabled) {
        background: #1b7f4b;
        filter: brightness(1.12);
      }
      .waiting .decline {
        background: #c5352b;
        color: #fff;
      }
      .waiting .decline:hover:not(:disabled) {
        background: #c5352b;
        filter: brightness(1.12);
      }
      .many .choices {
        margin-top: 14px;
      }
    `,
  ];

  constructor() {
    super();
    this.calls = [];
    this.present = null;
    this.isAnswering = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#tone.stop();
  }

  override render() {
    const { call } = this.words;
    const isWaiting = this.present !== null;
    const classes = `${isWaiting ? 'waiting' : ''} ${this.calls.length > 1 ? 'many' : ''}`;
    return html`<dialog
      class=${classes}
      role="alertdialog"
      aria-label=${call.callers}
      aria-describedby="calls"
      data-testid="incoming-call"
      data-waiting=${isWaiting ? '1' : '0'}
      @cancel=${(event: Event) => event.preventDefault()}
      @close=${this.#onClose}
    >
      <div class="calls" id="calls">
        ${repeat(
          this.calls,
          ({ model }) => model,
          (ringing) => this.#ringing(ringing),
        )}
      </div>
    </dialog>`;
  }

  protected override updated(): void {
    // What was pressed may end after the dialog has gone.
    if (!this.isConnected) return;
    const isWaiting = this.present !== null;
    if (!this.isAnswering) this.#tone.start({ isWaiting });
    const dialog = this.#dialog;
    if (dialog === null) return;
    // A call that began or ended meanwhile makes a card of the dialog, or a dialog of the card.
    if (dialog.open && dialog.matches(':modal') === isWaiting) dialog.close();
    if (dialog.open) return;
    if (!isWaiting) {
      dialog.showModal();
      return;
    }
    // Not `show`: it would take the focus out of the call that goes on.
    dialog.setAttribute('open', '');
    const [first] = this.calls;
    if (first !== undefined) speak(`${first.name}: ${this.words.call.waiting[first.media]}`);
  }

  #ringing(ringing: RingingCall): TemplateResult {
    const { call, role: roles } = this.words;
    const { name, role, media, about } = ringing;
    const isVideo = media === 'video';
    const what = this.present === null ? call.incoming[media] : call.waiting[media];
    const who = role === null ? name : `${name} · ${roles[role]}`;
    return html`<section aria-label=${who} data-testid="ringing" data-call=${ringing.model.view.callId}>
      <div class="ring"><tele-avatar name=${name}></tele-avatar></div>
      <h2>${who}</h2>
      <p>${isVideo ? icons.video(20) : icons.phone(20)}${what}</p>
      ${about === null ? null : html`<p class="about">${call.about(about)}</p>`}
      <div class="choices">${this.#choices(ringing)}</div>
    </section>`;
  }

  #choices(ringing: RingingCall): TemplateResult {
    const { call } = this.words;
    const { media } = ringing;
    const { present } = this;
    const isVideo = media === 'video';
    return html`<button class="choice decline" type="button" data-testid="call-decline" ?disabled=${this.isAnswering} @click=${() => void this.#decline(ringing)}>
        <span>${icons.hangUp(28)}</span>${call.decline}
      </button>
      ${
        isVideo && present === null
          ? html`<button
              class="choice"
              type="button"
              data-testid="call-accept-voice"
              title=${call.acceptVoiceHint}
              ?disabled=${this.isAnswering}
              @click=${() => void this.#accept(ringing, { camera: false })}
            >
              <span>${icons.videoOff(28)}</span>${call.acceptVoice}
            </button>`
          : null
      }
      <button
        class="choice accept"
        type="button"
        ?autofocus=${present === null}
        data-testid="call-accept"
        ?disabled=${this.isAnswering}
        @click=${() => void this.#accept(ringing, { camera: true, leaveOther: present !== null })}
      >
        <span>${isVideo ? icons.video(28) : icons.phone(28)}</span>${present === null ? call.accept : call.leaveAndAccept(present)}
      </button>`;
  }

  async #accept({ model }: RingingCall, options: Parameters<Call['accept']>[0]): Promise<void> {
    if (this.isAnswering) return;
    this.isAnswering = true;
    this.#tone.stop();
    this.tell('tele-answered', model);
    // Another device of the person may be in a call that this one does not show.
    const isInOther = options?.leaveOther === true || model.isCallWaiting;
    await this.attempt(() => model.call.accept({ ...options, leaveOther: isInOther }));
    this.isAnswering = false;
  }

  async #decline({ model }: RingingCall): Promise<void> {
    if (this.isAnswering) return;
    this.isAnswering = true;
    this.#tone.stop();
    await this.attempt(() => model.call.decline());
    this.isAnswering = false;
  }

  /** Browsers close a dialog at the second Escape whatever `cancel` says; a ringing call must stay in sight. */
  readonly #onClose = (): void => {
    if (this.isConnected && this.present === null && this.calls.length > 0 && this.#dialog?.open === false)
      this.#dialog.showModal();
  };

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }
}

customElements.define('tele-incoming-call', TeleIncomingCall);
