import { css, html } from 'lit';
import { ago } from '../i18n/format.ts';
import { checkChanges, lastCheck } from '../state/call-check-memory.ts';
import { common } from '../styles/common.ts';
import { TeleElement } from './tele-element.ts';

/** When camera, microphone and network were last checked on this device; empty when they never were. */
export class TeleDeviceCheckNote extends TeleElement {
  #stop: (() => void) | null = null;

  static override styles = [
    common,
    css`
      p {
        color: var(--text-2);
        font-size: 0.8125rem;
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = checkChanges.subscribe(() => this.requestUpdate());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop?.();
    this.#stop = null;
  }

  override render() {
    const last = lastCheck();
    if (last === null) return null;
    const words = this.words.check.last;
    return html`<p data-testid="check-last" data-well=${last.well ? '1' : '0'}>
      ${last.well ? words.well(ago(last.at)) : words.trouble(ago(last.at))}
    </p>`;
  }
}

customElements.define('tele-device-check-note', TeleDeviceCheckNote);
