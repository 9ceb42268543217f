import type { DeviceCheck, NetworkReport, TeleconsultClient } from '@teleconsult/client-sdk/api';
import { css, html, type TemplateResult } from 'lit';
import { percent } from '../i18n/format.ts';
import { Ticker } from '../state/ticker.ts';
import { buttons } from '../styles/buttons.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

/** Shows the camera, how loud the microphone is, and how good the network is. It frees the devices when it is left. */
export class TeleDeviceCheck extends TeleElement {
  static override properties = {
    client: { attribute: false },
    check: { state: true },
    share: { state: true },
    report: { state: true },
  };
  declare client: TeleconsultClient;
  declare private check: DeviceCheck | null;
  /** How much of the network check is done, 0 to 1; null while none runs. */
  declare private share: number | null;
  declare private report: NetworkReport | null;

  readonly #leaving = new AbortController();

  static override styles = [
    common,
    buttons,
    css`
      :host {
        display: grid;
        gap: 14px;
        margin-top: 8px;
      }
      video {
        display: block;
        width: 100%;
        max-height: 300px;
        border-radius: var(--radius-2);
        background: var(--stage);
        transform: scaleX(-1);
      }
      meter,
      progress {
        width: 100%;
        height: 14px;
      }
      .problem {
        color: var(--danger);
      }
    `,
  ];

  constructor() {
    super();
    this.check = null;
    this.share = null;
    this.report = null;
    new Ticker(this, { everyMs: 100, running: () => this.check !== null });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.attempt(() => this.#open());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#leaving.abort();
    this.check?.close();
    this.check = null;
  }

  override render() {
    const words = this.words.check;
    const { check } = this;
    return html`${check?.camera ? html`<video muted autoplay playsinline aria-label=${words.camera}></video>` : null}
      ${this.#problem(check?.problems.camera?.code, this.words.call.cameraDenied, this.words.call.cameraMissing)}
      ${check?.microphone ? html`<label>${words.microphone}<meter min="0" max="1" .value=${check.level} data-testid="check-level"></meter></label>` : null}
      ${this.#problem(check?.problems.microphone?.code, this.words.call.microphoneDenied, this.words.call.microphoneMissing)}
      <button type="button" data-testid="check-tone" ?disabled=${check === null} @click=${() => void this.attempt(async () => check?.playTone())}>
        ${words.tone}
      </button>
      ${this.#network()}`;
  }

  protected override updated(): void {
    const video = this.renderRoot.querySelector('video');
    const camera = this.check?.camera ?? null;
    if (video !== null && camera !== null && video.srcObject === null)
      video.srcObject = new MediaStream([camera]);
  }

  #problem(code: string | undefined, denied: string, missing: string): TemplateResult | null {
    if (code === undefined) return null;
    return html`<p class="problem" role="alert">${code === 'PERMISSION_DENIED' ? denied : missing}</p>`;
  }

  #network(): TemplateResult {
    const words = this.words.check;
    const { share, report } = this;
    return html`<div aria-live="polite">
      ${
        share === null
          ? html`<button type="button" class="primary" data-testid="check-network" @click=${() => void this.#measure()}>${words.network}</button>`
          : html`<progress max="1" .value=${share} aria-label=${words.measuring(percent(share))}></progress>`
      }
      ${
        report === null
          ? null
          : html`<p data-testid="check-verdict" data-verdict=${report.verdict}><strong>${words.verdict[report.verdict]}</strong></p>
              <ul>${report.advice.map((advice) => html`<li>${words.advice[advice]}</li>`)}</ul>`
      }
    </div>`;
  }

  async #open(): Promise<void> {
    const check = await this.client.openDeviceCheck({ signal: this.#leaving.signal });
    if (this.isConnected) this.check = check;
    else check.close();
  }

  async #measure(): Promise<void> {
    this.share = 0;
    this.report = null;
    await this.attempt(async () => {
      this.report = await this.client.checkNetwork({
        signal: this.#leaving.signal,
        onProgress: (share) => {
          this.share = share;
        },
      });
    });
    this.share = null;
  }
}

customElements.define('tele-device-check', TeleDeviceCheck);
