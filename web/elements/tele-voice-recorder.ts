import type { VoiceRecorder } from '@teleconsult/client-sdk/api';
import { AppError } from '@teleconsult/protocol/errors';
import { MAX_VOICE_MS } from '@teleconsult/protocol/limits';
import { css, html, svg } from 'lit';
import { clock } from '../i18n/format.ts';
import * as icons from '../icons.ts';
import { speak } from '../state/announcer.ts';
import { noticeOf } from '../state/notice.ts';
import type { Sdk } from '../state/sdk.ts';
import { Ticker } from '../state/ticker.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

const BARS = 32;
const SAMPLE_MS = 100;

type State =
  | { readonly name: 'starting' }
  | { readonly name: 'recording'; readonly recorder: VoiceRecorder }
  /** The longest length is reached; the recording waits to be sent. */
  | { readonly name: 'full'; readonly blob: Blob; readonly durationMs: number }
  | { readonly name: 'sending' };

/**
 * Records from the moment it is in the page. It ends with one of `tele-recorded` (detail: the Blob),
 * `tele-recording-cancelled`, `tele-recording-refused` (detail: why, in words).
 */
export class TeleVoiceRecorder extends TeleElement {
  static override properties = { sdk: { attribute: false }, state: { state: true } };
  declare sdk: Sdk;
  declare private state: State;

  #levels: readonly number[] = [];

  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: flex;
        align-items: center;
        gap: 8px;
        min-height: 60px;
        padding: 8px;
      }
      .now {
        display: flex;
        flex: 1;
        align-items: center;
        gap: 10px;
        min-width: 0;
      }
      .dot {
        width: 10px;
        height: 10px;
        border-radius: 50%;
        background: var(--danger);
        flex: none;
        animation: blink 1.4s ease-in-out infinite;
      }
      .time {
        min-width: 3em;
        font-weight: 600;
        font-variant-numeric: tabular-nums;
      }
      svg.levels {
        flex: 1;
        min-width: 0;
        height: 32px;
      }
      rect {
        fill: var(--primary);
      }
      p {
        flex: 1;
        min-width: 0;
        color: var(--text-2);
        font-size: 0.9375rem;
        line-height: 1.35;
      }
      @keyframes blink {
        50% {
          opacity: 0.25;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.state = { name: 'starting' };
    new Ticker(this, { everyMs: SAMPLE_MS, running: () => this.state.name === 'recording' });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.state.name === 'recording') this.state.recorder.cancel();
    this.state = { name: 'sending' };
  }

  protected override willUpdate(): void {
    if (this.state.name !== 'recording') return;
    const { recorder } = this.state;
    this.#levels = [...this.#levels, recorder.level].slice(-BARS);
    if (recorder.state === 'stopped' || recorder.durationMs >= MAX_VOICE_MS) void this.#stopFull(recorder);
  }

  override render() {
    const { recorder } = this.words;
    const { state } = this;
    return html`<button class="icon" type="button" data-testid="voice-cancel" aria-label=${recorder.cancel} @click=${this.#cancel}>
        ${icons.close()}
      </button>
      <div class="now" role="group" aria-label=${recorder.label}>${this.#now()}</div>
      <button
        class="icon primary"
        type="button"
        data-testid="voice-send"
        aria-label=${recorder.send}
        ?disabled=${state.name === 'starting' || state.name === 'sending'}
        @click=${() => void this.#send()}
      >
        ${icons.send()}
      </button>`;
  }

  #now() {
    const { recorder: words } = this.words;
    const { state } = this;
    if (state.name === 'starting') return html`<p>${words.starting}</p>`;
    if (state.name === 'full') return html`<p>${words.full}</p>`;
    if (state.name === 'sending') return null;
    const quiet = Array.from({ length: BARS - this.#levels.length }, () => 0);
    return html`<span class="dot"></span>
      <span class="time" role="timer" aria-label=${words.recording} data-testid="voice-time">
        ${clock(state.recorder.durationMs)}
      </span>
      <svg class="levels" viewBox="0 0 ${BARS * 6} 32" preserveAspectRatio="none" aria-hidden="true">
        ${[...quiet, ...this.#levels].map((level, index) => {
          const height = Math.max(3, level * 30);
          return svg`<rect x=${index * 6 + 1.5} y=${16 - height / 2} width="3" height=${height} rx="1.5" />`;
        })}
      </svg>`;
  }

  async #start(): Promise<void> {
    try {
      const recorder = await this.sdk.startVoiceRecorder();
      if (!this.isConnected) {
        recorder.cancel();
        return;
      }
      this.state = { name: 'recording', recorder };
      speak(this.words.recorder.recording);
      this.renderRoot.querySelector<HTMLElement>('[data-testid=voice-send]')?.focus();
    } catch (error) {
      this.tell('tele-recording-refused', this.#refusal(error));
    }
  }

  #refusal(error: unknown): string {
    const { recorder } = this.words;
    const code = error instanceof AppError ? error.code : 'INTERNAL';
    if (code === 'PERMISSION_DENIED') return recorder.denied;
    if (code === 'DEVICE_UNAVAILABLE') return recorder.unavailable;
    if (code === 'UNSUPPORTED_BROWSER') return recorder.unsupported;
    return noticeOf(error)?.text ?? recorder.unavailable;
  }

  async #send(): Promise<void> {
    const { state } = this;
    if (state.name === 'full') this.tell('tele-recorded', state.blob);
    if (state.name !== 'recording') return;
    this.state = { name: 'sending' };
    const isStopped = await this.attempt(async () => this.tell('tele-recorded', await state.recorder.stop()));
    if (!isStopped) this.tell('tele-recording-cancelled');
  }

  async #stopFull(recorder: VoiceRecorder): Promise<void> {
    const { durationMs } = recorder;
    this.state = { name: 'sending' };
    await this.attempt(async () => {
      this.state = { name: 'full', blob: await recorder.stop(), durationMs };
      speak(this.words.recorder.full);
    });
  }

  readonly #cancel = (): void => {
    this.tell('tele-recording-cancelled');
  };
}

customElements.define('tele-voice-recorder', TeleVoiceRecorder);
